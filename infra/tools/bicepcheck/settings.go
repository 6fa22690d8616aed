package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// localOnly returns the settings that only the local stack has. The first one makes
// waits shorter, for use with a simulator.
func localOnly() []string { return []string{"AZBACKUPFLOW_SPEED_FACTOR"} }

// platform reports whether only Azure's platform reads the setting.
func platform(name string) bool { return strings.HasPrefix(name, "APPLICATIONINSIGHTS_") }

// standard reports whether OpenTelemetry defines the setting, which is optional.
func standard(name string) bool { return strings.HasPrefix(name, "OTEL_") }

// checkSettings reports settings that the code reads although no template deploys
// them, and settings that are missing from local.settings.sample.json.
func checkSettings(all map[string]*template, files fs.FS, c *code) ([]Finding, error) {
	const sampleFile = "local.settings.sample.json"
	raw, err := fs.ReadFile(files, sampleFile)
	if err != nil {
		return nil, err
	}
	var sample struct{ Values map[string]string }
	if err := json.Unmarshal(raw, &sample); err != nil {
		return nil, fmt.Errorf("decode %s: %w", sampleFile, err)
	}
	deployed, where := map[string]place{}, place{"infra/main.bicep", 1}
	for _, name := range sorted(all) {
		t := all[name]
		for _, r := range t.resources {
			if !strings.EqualFold(strings.Split(r.id, "@")[0], "Microsoft.Web/sites/config") || r.body == nil {
				continue
			}
			v := t.evaluate(r.body)
			if n, _ := v.get("name"); n.value.text != "appsettings" {
				continue
			}
			properties, _ := v.get("properties")
			where = place{name, properties.line}
			for _, p := range properties.value.props {
				deployed[p.name] = place{name, p.line}
			}
		}
	}
	var found []Finding
	wanted := map[string]place{}
	for _, name := range sorted(c.settings) {
		if !standard(name) {
			wanted[name] = c.settings[name]
		}
		if _, ok := deployed[name]; !ok && !standard(name) && !slices.Contains(localOnly(), name) {
			found = append(found, Finding{where.file, where.line, fmt.Sprintf("the setting %s is missing, which %s:%d reads", name, c.settings[name].file, c.settings[name].line)})
		}
	}
	for _, name := range sorted(c.connections) {
		wanted[name] = c.connections[name]
		if !slices.ContainsFunc(sorted(deployed), func(s string) bool { return strings.HasPrefix(s, name+"__") }) {
			found = append(found, Finding{where.file, where.line, fmt.Sprintf("the settings %s__… are missing, which %s:%d reads", name, c.connections[name].file, c.connections[name].line)})
		}
	}
	for name, at := range deployed {
		if connection, _, ok := strings.Cut(name, "__"); ok {
			name = connection
		}
		if _, ok := wanted[name]; !ok && !platform(name) && !standard(name) {
			wanted[name] = at
		}
	}
	for _, name := range sorted(wanted) {
		if _, ok := sample.Values[name]; !ok {
			found = append(found, Finding{sampleFile, lineOf(raw, `"Values"`), fmt.Sprintf("the setting %s is missing, which %s:%d has", name, wanted[name].file, wanted[name].line)})
		}
	}
	return found, nil
}
