package main

import (
	"context"
	"os"

	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/localstack"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/drill"
	"azbackupflow/internal/local/stack"
	"azbackupflow/internal/schedule"
)

// declarationFile is a file that the app reads at its start.
type declarationFile struct {
	file, flag, setting string
	// count parses the file and returns the number of its entries.
	count func(*app, string) (int, error)
	// entries names them.
	entries string
}

// declarations returns the files of schedules and rules that the flags name, or that
// exist in the working folder. A file that the environment names is not watched.
func (l *localCommand) declarations(a *app) []declarationFile {
	var all []declarationFile
	for _, d := range []struct {
		declarationFile
		usual string
	}{
		{declarationFile{l.Schedules, "--schedules", "AZBACKUPFLOW_SCHEDULES", countSchedules, "schedules"}, schedule.FileName},
		{declarationFile{l.Protection, "--protection", "AZBACKUPFLOW_PROTECTION", countRules, "rules"}, autoprotect.FileName},
		{declarationFile{l.Drills, "--drills", "AZBACKUPFLOW_DRILLS", countDrills, "drills"}, drill.FileName},
	} {
		if d.file == "" {
			if _, set := a.lookup(d.setting); set {
				continue
			}
			if _, err := os.Stat(d.usual); err != nil {
				continue // the app uses the file of its package
			}
			d.file = d.usual
		}
		all = append(all, d.declarationFile)
	}
	return all
}

func countSchedules(a *app, file string) (int, error) {
	schedules, err := a.readSchedules(file)
	return len(schedules), err
}

func countRules(a *app, file string) (int, error) {
	rules, err := a.readRules(file)
	return len(rules), err
}

func countDrills(a *app, file string) (int, error) {
	raw, err := cli.ReadFile(file, a.stdin)
	if err != nil {
		return 0, err
	}
	drills, err := drill.Parse(file, raw)
	return len(drills), err
}

// reload replaces the handler each time a declaration file has changed, as a
// deployment does. The app reads the files at its start only.
func (l *localCommand) reload(ctx context.Context, a *app, s *stack.Stack) {
	all := l.declarations(a)
	var files []string
	for _, d := range all {
		files = append(files, d.file)
	}
	localstack.Watch(ctx, files, a.ticks, func(file string) {
		for _, d := range all {
			if d.file == file {
				a.showReload(d)
			}
		}
		s.Host().RestartHandler()
	})
}

// showReload shows what a changed file declares, or its problems.
func (a *app) showReload(d declarationFile) {
	n, err := d.count(a, d.file)
	if err == nil {
		a.note("%s has changed: %d %s are in force.", render.Plain(d.file), n, d.entries)
		return
	}
	a.note("%s has changed and has problems:", render.Plain(d.file))
	for _, line := range problemLines(err) {
		a.note("  %s", line)
	}
}
