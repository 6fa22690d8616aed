package packaging

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// sbomSuffix is added to the archive's name.
const sbomSuffix = ".cdx.json"

// billOfMaterials lists the modules of a program as a CycloneDX document, with the
// hash and the licence of each. It reads the list that the linker wrote into the
// program, so the two cannot differ. The document has no serial number and no
// time: the same program results in the same bytes.
// Source: https://cyclonedx.org/docs/1.6/json/
func billOfMaterials(ctx context.Context, root, program, name, version string) ([]byte, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, fmt.Errorf("list the modules of the program: %w", err)
	}
	main, err := application(program, name, version, info.Settings)
	if err != nil {
		return nil, err
	}
	licences, err := moduleLicences(ctx, root, info.Deps)
	if err != nil {
		return nil, err
	}
	parts := []cdx.Component{library("std", strings.TrimPrefix(info.GoVersion, "go"), goLicence)}
	for _, m := range info.Deps {
		part, err := module(m, licences)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	slices.SortFunc(parts, func(a, b cdx.Component) int { return cmp.Compare(a.BOMRef, b.BOMRef) })
	var refs []string
	for _, p := range parts {
		refs = append(refs, p.BOMRef)
	}
	bom := cdx.NewBOM()
	bom.SerialNumber = ""
	bom.Metadata = &cdx.Metadata{Component: &main}
	bom.Components = &parts
	bom.Dependencies = &[]cdx.Dependency{{Ref: main.BOMRef, Dependencies: &refs}}
	var out bytes.Buffer
	if err := cdx.NewBOMEncoder(&out, cdx.BOMFileFormatJSON).SetPretty(true).Encode(bom); err != nil {
		return nil, fmt.Errorf("write the bill of materials: %w", err)
	}
	return out.Bytes(), nil
}

// application returns the component of the program itself.
func application(program, name, version string, settings []debug.BuildSetting) (cdx.Component, error) {
	content, err := os.ReadFile(program)
	if err != nil {
		return cdx.Component{}, fmt.Errorf("hash the program: %w", err)
	}
	sum := sha256.Sum256(content)
	var properties []cdx.Property
	for _, s := range settings {
		if slices.Contains([]string{"GOOS", "GOARCH", "GOAMD64", "GOARM64", "CGO_ENABLED"}, s.Key) {
			properties = append(properties, cdx.Property{Name: "go:build:" + s.Key, Value: s.Value})
		}
	}
	return cdx.Component{
		BOMRef: "program", Type: cdx.ComponentTypeApplication, Name: name, Version: version,
		Hashes:     &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum[:])}},
		Properties: &properties,
	}, nil
}

// module returns the component of a module, or of its replacement.
func module(m *debug.Module, licences map[string]string) (cdx.Component, error) {
	if m.Replace != nil {
		m = m.Replace
	}
	c := library(m.Path, m.Version, licences[m.Path])
	if m.Sum == "" {
		return c, nil
	}
	// The h1 sum of go.sum is the SHA-256 of the sorted list of the hashes of the
	// module's files. Tools such as cyclonedx-gomod record it as the module's hash.
	// https://go.dev/ref/mod#go-sum-files
	hash, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.Sum, "h1:"))
	if err != nil {
		return c, fmt.Errorf("read the sum %q of %s: %w", m.Sum, m.Path, err)
	}
	c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(hash)}}
	c.Properties = &[]cdx.Property{{Name: "go:sum", Value: m.Sum}}
	return c, nil
}

func library(path, version, licence string) cdx.Component {
	purl := "pkg:golang/" + path + "@" + version
	choice := cdx.LicenseChoice{License: &cdx.License{ID: licence}}
	switch {
	case licence == unknownLicence:
		choice.License = &cdx.License{Name: unknownLicence}
	case strings.Contains(licence, " "):
		choice = cdx.LicenseChoice{Expression: licence}
	}
	return cdx.Component{
		BOMRef: purl, Type: cdx.ComponentTypeLibrary, Name: path, Version: version, PackageURL: purl,
		Licenses: &cdx.Licenses{choice},
	}
}
