package packaging

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
)

// goLicence is the licence of Go's standard library.
// Source: https://go.dev/LICENSE
const goLicence = "BSD-3-Clause"

// unknownLicence stands in the bill of materials for a licence whose text matches
// none of licenceTexts.
const unknownLicence = "NOASSERTION"

// moduleLicences returns for each module of a program the SPDX expression of its
// licence. It reads the licence files in the folder where Go keeps the module's
// sources: the build has put them there.
func moduleLicences(ctx context.Context, root string, modules []*debug.Module) (map[string]string, error) {
	licences := map[string]string{}
	if len(modules) == 0 {
		return licences, nil
	}
	args := []string{"list", "-m", "-json=Path,Dir,Replace"}
	for _, m := range modules {
		args = append(args, m.Path)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("find the sources of the program's modules: %w", err)
	}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var m struct {
			Path, Dir string
			Replace   *struct{ Path string }
		}
		if err := decoder.Decode(&m); errors.Is(err, io.EOF) {
			return licences, nil
		} else if err != nil {
			return nil, fmt.Errorf("find the sources of the program's modules: %w", err)
		}
		path := m.Path
		if m.Replace != nil {
			path = m.Replace.Path
		}
		if m.Dir == "" {
			return nil, fmt.Errorf("the sources of module %s are not in the module cache; run go mod download", path)
		}
		if licences[path], err = licenceIn(m.Dir); err != nil {
			return nil, fmt.Errorf("read the licence of %s: %w", path, err)
		}
	}
}

// licenceIn returns the SPDX expression of the licence files in a folder.
func licenceIn(folder string) (string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return "", err
	}
	isLicence := regexp.MustCompile(`(?i)^(licen[cs]e|copying)([.-].*)?$`)
	var ids []string
	for _, e := range entries {
		if e.IsDir() || !isLicence.MatchString(e.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return "", err
		}
		ids = append(ids, licencesOf(string(text))...)
	}
	if len(ids) == 0 {
		return unknownLicence, nil
	}
	slices.Sort(ids)
	return strings.Join(slices.Compact(ids), " AND "), nil
}

// licencesOf returns the SPDX identifiers of the licences whose text a file
// contains. Only licences that a Go module commonly has are known; a file with
// the texts of two licences returns both.
// Source: https://spdx.org/licenses/
func licencesOf(text string) []string {
	text = strings.Join(strings.Fields(strings.ToLower(text)), " ")
	has := func(part string) bool { return strings.Contains(text, part) }
	const (
		bsd         = "redistribution and use in source and binary forms, with or without modification, are permitted"
		endorsement = "used to endorse or promote products derived from this software without"
	)
	var ids []string
	for _, l := range []struct {
		id    string
		found bool
	}{
		{"Apache-2.0", has("apache license") && has("version 2.0")},
		{"BSD-2-Clause", has(bsd) && !has(endorsement)},
		{"BSD-3-Clause", has(bsd) && has(endorsement)},
		{"ISC", has("permission to use, copy, modify, and/or distribute this software for any purpose")},
		{"MIT", has("permission is hereby granted, free of charge, to any person obtaining a copy")},
		{"MPL-2.0", has("mozilla public license") && has("version 2.0")},
	} {
		if l.found {
			ids = append(ids, l.id)
		}
	}
	return ids
}
