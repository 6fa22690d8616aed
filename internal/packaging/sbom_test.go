package packaging

import (
	"encoding/base64"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/stretchr/testify/require"
)

// linked returns the modules that are linked into the deployed program and into the
// command line, on any of its platforms.
func linked(t *testing.T) (modules []*debug.Module) {
	t.Helper()
	seen := map[string]bool{}
	for _, p := range releasePlatforms() {
		for _, m := range linkedOn(t, p) {
			if !seen[m.Path] {
				seen[m.Path] = true
				modules = append(modules, m)
			}
		}
	}
	return modules
}

func linkedOn(t *testing.T, p platform) []*debug.Module {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{if .Version}}{{.Path}} {{.Version}} {{.Sum}}{{end}}{{end}}", "./functions", "./"+commandLineFolder)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "GOOS="+p.os, "GOARCH="+p.arch, "CGO_ENABLED=0")
	out, err := cmd.Output()
	require.NoError(t, err)
	seen := map[string]bool{}
	var modules []*debug.Module
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) == 3 && !seen[fields[0]] {
			seen[fields[0]] = true
			modules = append(modules, &debug.Module{Path: fields[0], Version: fields[1], Sum: fields[2]})
		}
	}
	require.Greater(t, len(modules), 30)
	return modules
}

func TestBillOfMaterials_EveryModuleHasAHashAndAKnownLicence(t *testing.T) {
	t.Parallel()
	modules := linked(t)
	licences, err := moduleLicences(t.Context(), "../..", modules)
	require.NoError(t, err)
	require.Len(t, licences, len(modules))
	for _, m := range modules {
		c, err := module(m, licences)
		require.NoError(t, err)
		require.NotEqual(t, unknownLicence, licences[m.Path], "%s: read its licence, and add the text to licencesOf", m.Path)
		require.NotEmpty(t, licences[m.Path], m.Path)
		require.Len(t, *c.Hashes, 1, m.Path)
		hash, err := hex.DecodeString((*c.Hashes)[0].Value)
		require.NoError(t, err)
		require.Equal(t, "h1:"+base64.StdEncoding.EncodeToString(hash), m.Sum)
	}
	require.Equal(t, "MIT", licences["github.com/Azure/azure-sdk-for-go/sdk/azcore"])
	require.Equal(t, "BSD-3-Clause", licences["golang.org/x/net"])
	require.Equal(t, "Apache-2.0 AND MIT", licences["go.yaml.in/yaml/v3"])
}

func TestBillOfMaterials_LicencesInThreeForms(t *testing.T) {
	t.Parallel()
	for licence, want := range map[string]cdx.LicenseChoice{
		"MIT":                {License: &cdx.License{ID: "MIT"}},
		"Apache-2.0 AND MIT": {Expression: "Apache-2.0 AND MIT"},
		unknownLicence:       {License: &cdx.License{Name: unknownLicence}},
	} {
		require.Equal(t, cdx.Licenses{want}, *library("example.org/m", "v1.0.0", licence).Licenses)
	}
}

func TestLicence_ComesFromLicenceFilesOnly(t *testing.T) {
	t.Parallel()
	const mit = "Permission is hereby granted, free of charge, to any\n  person obtaining a copy"
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"none":          {nil, unknownLicence},
		"a readme":      {map[string]string{"README.md": mit}, unknownLicence},
		"another text":  {map[string]string{"LICENSE": "All rights reserved."}, unknownLicence},
		"one":           {map[string]string{"LICENSE.txt": mit}, "MIT"},
		"twice":         {map[string]string{"LICENSE": mit, "COPYING": mit}, "MIT"},
		"two in one":    {map[string]string{"license": mit + "\nApache License\nVersion 2.0, January 2004"}, "Apache-2.0 AND MIT"},
		"two files":     {map[string]string{"LICENSE-MIT": mit, "LICENSE-MPL": "Mozilla Public License Version 2.0"}, "MIT AND MPL-2.0"},
		"two clauses":   {map[string]string{"LICENCE": "Redistribution and use in source and binary forms, with or without modification, are permitted"}, "BSD-2-Clause"},
		"internet":      {map[string]string{"LICENSE.md": "Permission to use, copy, modify, and/or distribute this software for any purpose"}, "ISC"},
		"three clauses": {map[string]string{"LICENSE": "Redistribution and use in source and binary forms, with or without modification, are permitted ... used to endorse or promote products derived from this software without"}, "BSD-3-Clause"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for file, text := range c.files {
				require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600))
			}
			got, err := licenceIn(dir)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}
