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

// readSchedules reads what is declared beside host.json. A schedule that is
// wrong is left out, loudly, and the app starts for the others; see docs/adr/0010-declarations.md.
func readSchedules(path string, e *engine.Engine, log *slog.Logger) (schedules []schedule.Schedule, incomplete bool) {
	raw, err := os.ReadFile(path) //nolint:gosec // G304: the operator's own setting
	if errors.Is(err, fs.ErrNotExist) && path == schedule.FileName {
		return nil, false
	}
	if err != nil {
		log.Error("the schedules cannot be read: nothing is scheduled", "error", err)
		return nil, true
	}
	schedules, err = schedule.Parse(path, raw, e.Check)
	logProblems(log, "a schedule is left out", err)
	return schedules, err != nil
}

// readRules reads the rules of automatic protection. A file with anything wrong
// gives none: without one rule another would decide. The app starts all the
// same, and broken says why nothing is protected; see docs/adr/0010-declarations.md.
func readRules(path string, e *engine.Engine, log *slog.Logger) (rules []autoprotect.Rule, broken error) {
	raw, err := os.ReadFile(path) //nolint:gosec // G304: the operator's own setting
	if errors.Is(err, fs.ErrNotExist) && path == autoprotect.FileName {
		return nil, nil
	}
	if err == nil {
		rules, err = autoprotect.Parse(path, raw, e.Check)
	}
	logProblems(log, "nothing is protected automatically", err)
	return rules, err
}

// logProblems writes a line for each thing wrong with a file.
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
