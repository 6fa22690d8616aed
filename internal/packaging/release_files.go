package packaging

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

const (
	checksumsFile  = "checksums.txt"
	provenanceFile = "provenance.intoto.json"
)

// writeTarball writes a compressed archive without times and owners, so that it
// depends only on the files.
func writeTarball(path string, files []file) error {
	to, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("create the archive: %w", err)
	}
	defer func() { _ = to.Close() }() // closed below on success
	compressed, err := gzip.NewWriterLevel(to, gzip.BestCompression)
	if err != nil {
		return fmt.Errorf("create the archive: %w", err)
	}
	archive := tar.NewWriter(compressed)
	for _, f := range files {
		info, err := os.Stat(f.source)
		if err != nil {
			return fmt.Errorf("add %s to the archive: %w", f.name, err)
		}
		header := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Size: info.Size(), Mode: int64(f.mode), Format: tar.FormatUSTAR}
		if err := archive.WriteHeader(header); err != nil {
			return fmt.Errorf("add %s to the archive: %w", f.name, err)
		}
		if err := f.copyTo(archive); err != nil {
			return err
		}
	}
	for _, part := range []io.Closer{archive, compressed, to} {
		if err := part.Close(); err != nil {
			return fmt.Errorf("finish the archive: %w", err)
		}
	}
	return nil
}

// subject is an artefact in the provenance.
type subject struct {
	Name   string            `json:"name"`
	Digest map[string]string `json:"digest"`
}

// writeSums writes the checksums and the provenance of all artefacts.
func (r release) writeSums() ([]string, error) {
	names, err := r.artefacts()
	if err != nil {
		return nil, err
	}
	var sums strings.Builder
	var subjects []subject
	for _, name := range names {
		sum, err := sha256Of(filepath.Join(r.Folder, name))
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&sums, "%s  %s\n", sum, name)
		subjects = append(subjects, subject{Name: name, Digest: map[string]string{"sha256": sum}})
	}
	statement, err := json.MarshalIndent(r.provenance(subjects), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the provenance: %w", err)
	}
	for name, content := range map[string][]byte{checksumsFile: []byte(sums.String()), provenanceFile: append(statement, '\n')} {
		if err := os.WriteFile(filepath.Join(r.Folder, name), content, 0o600); err != nil {
			return nil, fmt.Errorf("write %s: %w", name, err)
		}
	}
	return r.artefacts()
}

// provenance returns an in-toto statement: which artefacts were built, from what and
// how. It is not signed; the release workflow adds a signed attestation.
// Source: https://slsa.dev/spec/v1.0/provenance
func (r release) provenance(subjects []subject) map[string]any {
	return map[string]any{
		"_type":         "https://in-toto.io/Statement/v1",
		"subject":       subjects,
		"predicateType": "https://slsa.dev/provenance/v1",
		"predicate": map[string]any{
			"buildDefinition": map[string]any{
				"buildType":          "urn:azbackupflow:build:release",
				"externalParameters": map[string]string{"version": r.version},
				"internalParameters": map[string]string{"go": runtime.Version()},
				"resolvedDependencies": []map[string]any{
					{"uri": "git:azbackupflow", "digest": map[string]string{"gitCommit": r.Commit}},
				},
			},
			"runDetails": map[string]any{"builder": map[string]string{"id": "urn:azbackupflow:make:snapshot"}},
		},
	}
}

func sha256Of(path string) (string, error) {
	from, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("hash %s: %w", filepath.Base(path), err)
	}
	defer func() { _ = from.Close() }() // only read
	hash := sha256.New()
	if _, err := io.Copy(hash, from); err != nil {
		return "", fmt.Errorf("hash %s: %w", filepath.Base(path), err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
