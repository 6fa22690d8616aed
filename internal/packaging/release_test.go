package packaging_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/packaging"
)

const commit = "0123456789abcdef0123456789abcdef01234567"

// releasable writes an app with a command line.
func releasable(t *testing.T) string {
	t.Helper()
	return sources(t, map[string]string{"cmd/azbackupflow/main.go": program, "LICENSE": "a licence", "CHANGELOG.md": "changes"})
}

func released(t *testing.T, root string) (folder string, names []string) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes seconds: builds a program for six platforms")
	}
	folder = filepath.Join(t.TempDir(), "release")
	names, err := packaging.Release(t.Context(), packaging.ReleaseConfig{Root: root, Folder: folder, Version: "v1.2.3", Commit: commit})
	require.NoError(t, err)
	return folder, names
}

func TestRelease_IsCompleteAndReproducible(t *testing.T) {
	t.Parallel()
	folder, names := released(t, releasable(t)) // slow, so only once
	t.Run("every artefact, with the same bytes from another folder", func(t *testing.T) {
		t.Parallel()
		sameArtefacts(t, folder, names)
	})
	t.Run("checksums and provenance name every artefact", func(t *testing.T) {
		t.Parallel()
		namedArtefacts(t, folder, names)
	})
	t.Run("an archive has a program that knows its version", func(t *testing.T) {
		t.Parallel()
		programInArchive(t, folder)
	})
}

func sameArtefacts(t *testing.T, folder string, names []string) {
	t.Helper()
	var want []string
	for _, name := range []string{
		"azbackupflow-app_1.2.3_linux_amd64.zip",
		"azbackupflow_1.2.3_darwin_amd64.tar.gz", "azbackupflow_1.2.3_darwin_arm64.tar.gz",
		"azbackupflow_1.2.3_linux_amd64.tar.gz", "azbackupflow_1.2.3_linux_arm64.tar.gz",
		"azbackupflow_1.2.3_windows_amd64.zip", "azbackupflow_1.2.3_windows_arm64.zip",
	} {
		want = append(want, name, name+".cdx.json")
	}
	require.Equal(t, append(want, "checksums.txt", "provenance.intoto.json"), names)

	again, _ := released(t, releasable(t)) // in another folder
	for _, name := range names {
		require.Equal(t, content(t, folder, name), content(t, again, name), name)
	}
}

func namedArtefacts(t *testing.T, folder string, names []string) {
	t.Helper()
	sums := map[string]string{}
	for line := range strings.Lines(content(t, folder, "checksums.txt")) {
		sum, name, found := strings.Cut(strings.TrimSpace(line), "  ")
		require.True(t, found, line)
		sums[name] = sum
	}
	require.Len(t, sums, len(names)-2)
	var statement struct {
		Subject []struct {
			Name   string
			Digest struct{ SHA256 string }
		}
		Predicate struct {
			BuildDefinition struct {
				ExternalParameters   struct{ Version string }
				ResolvedDependencies []struct{ Digest struct{ GitCommit string } }
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(content(t, folder, "provenance.intoto.json")), &statement))
	require.Len(t, statement.Subject, len(sums))
	for _, s := range statement.Subject {
		sum := sha256.Sum256([]byte(content(t, folder, s.Name)))
		require.Equal(t, hex.EncodeToString(sum[:]), s.Digest.SHA256, s.Name)
		require.Equal(t, s.Digest.SHA256, sums[s.Name])
	}
	require.Equal(t, "1.2.3", statement.Predicate.BuildDefinition.ExternalParameters.Version)
	require.Equal(t, commit, statement.Predicate.BuildDefinition.ResolvedDependencies[0].Digest.GitCommit)
}

func programInArchive(t *testing.T, folder string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("its archive is a zip file")
	}
	name := "azbackupflow_1.2.3_" + runtime.GOOS + "_" + runtime.GOARCH + ".tar.gz"
	uncompressed, err := gzip.NewReader(strings.NewReader(content(t, folder, name)))
	require.NoError(t, err)
	files := map[string][]byte{}
	for archive := tar.NewReader(uncompressed); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		require.LessOrEqual(t, header.ModTime.Unix(), int64(0), "no time of this build")
		require.Equal(t, header.Name == "azbackupflow", header.Mode&0o111 != 0, header.Name)
		files[header.Name], err = io.ReadAll(archive)
		require.NoError(t, err)
	}
	require.Len(t, files, 4)
	require.Equal(t, "a licence", string(files["LICENSE"]))
	require.Equal(t, "1.2.3", string(files["azbackupflow.1"]), "the output of the program's command man")
	path := filepath.Join(t.TempDir(), "azbackupflow")
	require.NoError(t, os.WriteFile(path, files["azbackupflow"], 0o700))
	out, err := exec.CommandContext(t.Context(), path).Output()
	require.NoError(t, err)
	require.Equal(t, "1.2.3", string(out))

	var materials cdx.BOM
	require.NoError(t, cdx.NewBOMDecoder(bytes.NewReader([]byte(content(t, folder, name+".cdx.json"))), cdx.BOMFileFormatJSON).Decode(&materials))
	sum := sha256.Sum256(files["azbackupflow"])
	require.Equal(t, hex.EncodeToString(sum[:]), (*materials.Metadata.Component.Hashes)[0].Value)
	require.Equal(t, "1.2.3", materials.Metadata.Component.Version)
}

func TestRelease_RejectsWhatItCannotRelease(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		cfg  packaging.ReleaseConfig
		want string
	}{
		"a branch":            {packaging.ReleaseConfig{Version: "main", Commit: commit}, `version "main" is not a version such as 1.2.3`},
		"two numbers":         {packaging.ReleaseConfig{Version: "v1.2", Commit: commit}, `version "v1.2" is not`},
		"build metadata":      {packaging.ReleaseConfig{Version: "1.2.3+4", Commit: commit}, `version "1.2.3+4" is not`},
		"a short commit":      {packaging.ReleaseConfig{Version: "1.2.3", Commit: "0123456"}, "not the full hash"},
		"a folder with files": {packaging.ReleaseConfig{Version: "1.2.3-rc.1", Commit: commit, Folder: "."}, "is not empty"},
	} {
		_, err := packaging.Release(t.Context(), x.cfg)
		require.ErrorContains(t, err, x.want, name)
	}
}

func content(t *testing.T, folder, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(folder, name))
	require.NoError(t, err)
	return string(raw)
}
