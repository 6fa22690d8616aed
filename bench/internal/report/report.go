package report

import (
	"bytes"
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"

	"azbackupflow/bench/internal/contestant"
	"azbackupflow/bench/internal/work"
)

//go:embed performance.md.tmpl
var page string

// plotsFolder is the folder of the plots, below the documentation folder.
const plotsFolder = "performance"

// Write writes performance.md and its plots to the folder, and removes the earlier
// plots.
func Write(docs string, run work.Run) error {
	if len(run.Results) == 0 {
		return errors.New("the run has no figures; run the benchmark first")
	}
	all := byScenario(run.Results)
	if err := os.MkdirAll(filepath.Join(docs, plotsFolder), 0o750); err != nil {
		return fmt.Errorf("write the plots: %w", err)
	}
	old, err := filepath.Glob(filepath.Join(docs, plotsFolder, "*.svg"))
	if err != nil {
		return fmt.Errorf("find the old plots: %w", err)
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("remove the old plots: %w", err)
		}
	}
	for _, s := range all {
		for _, p := range plots(s) {
			if err := os.WriteFile(filepath.Join(docs, filepath.FromSlash(p.File)), p.svg(), 0o600); err != nil {
				return fmt.Errorf("write the plots: %w", err)
			}
		}
	}
	for _, p := range growthPlots(run.Growth) {
		if err := os.WriteFile(filepath.Join(docs, filepath.FromSlash(p.File)), p.svg(), 0o600); err != nil {
			return fmt.Errorf("write the plots: %w", err)
		}
	}
	text, err := render(run, all)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(docs, "performance.md"), text, 0o600); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

func render(run work.Run, all []scenarioFigures) ([]byte, error) {
	made, err := template.New("page").Funcs(template.FuncMap{
		"thousands": thousands, "millis": millis, "plots": plots, "row": row, "micros": micros, "requests": func(s work.Spent) string { return fmt.Sprintf("%.2f", s.Requests) },
		"version": func(engine string) string { return cmp.Or(run.Versions[engine], "this one") },
		"title":   func(s string) string { return strings.ToUpper(s[:1]) + s[1:] },
	}).Parse(page)
	if err != nil {
		return nil, fmt.Errorf("parse the page's template: %w", err)
	}
	last := all[len(all)-1]
	data := struct {
		Run         work.Run
		Busy        bool
		Repeat      int
		Targets     []target
		Met         int
		Scenarios   []scenarioFigures
		Contestants []contestant.Contestant
		Cost        *work.Cost
		Conclusions []string
		Sequential  []sequentialRow
		GrowthPlots []lines
	}{Run: run, Busy: busy(run.Machine), Scenarios: all, Cost: costOf(run.Results, "azbackupflow"),
		Conclusions: conclusions(run, all), Sequential: sequentialRows(run.Results), GrowthPlots: growthPlots(run.Growth)}
	data.Targets = targets(all, data.Cost, run)
	for _, t := range data.Targets {
		data.Met += flag(t.Met)
	}
	for _, r := range run.Results {
		data.Repeat = max(data.Repeat, r.Repeat)
	}
	for _, f := range last.Figures {
		data.Contestants = append(data.Contestants, f.Contestant)
	}
	var b bytes.Buffer
	if err := made.Execute(&b, data); err != nil {
		return nil, fmt.Errorf("write the page: %w", err)
	}
	return b.Bytes(), nil
}

// busy reports whether other work used a quarter of the machine or more before the
// run.
func busy(m work.Machine) bool {
	load, err := strconv.ParseFloat(m.Load, 64)
	return err == nil && load > float64(m.Cores)/4
}

func row(what string, r work.Requests) string {
	return fmt.Sprintf("| %s | %s | %.2f | %.2f | %.2f | %d | %d |\n", what, thousands(r.Invocations),
		each(r.TableReads, r.Invocations), each(r.TableWrites, r.Invocations), each(r.Sends, r.Invocations), r.MaxTable, r.MaxSends)
}

func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func millis(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "∞"
	case v < 10:
		return fmt.Sprintf("%.1f ms", v)
	}
	return thousands(int(math.Round(v))) + " ms"
}
