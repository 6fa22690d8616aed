package main

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"

	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/declaration"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/schedule"
)

// readSchedules reads the schedules file. An invalid schedule is skipped with an
// error in the log, and the app starts with the others; see
// docs/adr/0010-declarations.md. incomplete reports that a schedule may be
// missing.
func readSchedules(path string, e *engine.Engine, log *slog.Logger) (schedules []schedule.Schedule, incomplete bool) {
	raw, err := os.ReadFile(path) //nolint:gosec // G304: the operator's own setting
	if errors.Is(err, fs.ErrNotExist) && path == schedule.FileName {
		return nil, false
	}
	if err != nil {
		log.Error("schedules not read, nothing is scheduled", "error", err)
		return nil, true
	}
	schedules, err = schedule.Parse(path, raw, e.Check)
	logProblems(log, "schedule skipped", err)
	return schedules, err != nil
}

// readRules reads the rules of automatic protection. If one rule is invalid, it
// returns no rules, because another rule would then decide. The app starts, and
// broken is the reason why nothing is protected; see
// docs/adr/0010-declarations.md.
func readRules(path string, e *engine.Engine, log *slog.Logger) (rules []autoprotect.Rule, broken error) {
	raw, err := os.ReadFile(path) //nolint:gosec // G304: the operator's own setting
	if errors.Is(err, fs.ErrNotExist) && path == autoprotect.FileName {
		return nil, nil
	}
	if err == nil {
		rules, err = autoprotect.Parse(path, raw, e.Check)
	}
	logProblems(log, "rules invalid, nothing is protected automatically", err)
	return rules, err
}

// logProblems logs each problem of a file.
func logProblems(log *slog.Logger, consequence string, err error) {
	var invalid *declaration.Invalid
	switch {
	case errors.As(err, &invalid):
		for _, p := range invalid.Problems {
			log.Error(consequence, "file", invalid.File, "line", p.Line, "path", p.Path, "problem", p.Problem, "want", p.Want)
		}
	case err != nil:
		log.Error(consequence, "error", err)
	}
}
