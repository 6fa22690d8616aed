package e2e

import (
	"archive/zip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/functionshost"
	"azbackupflow/internal/local/stack"
	"azbackupflow/internal/settings"
)

func TestPackage_LayoutIsAcceptedByTheHost(t *testing.T) {
	t.Parallel()
	require.NoError(t, functionshost.Layout(dist))
	unpacked := unpack(t)
	require.NoError(t, functionshost.Layout(unpacked))

	// Both folders hold the same files. On Azure's platform the programs are equal
	// too.
	var files []string
	require.NoError(t, filepath.WalkDir(dist, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			name, _ := filepath.Rel(dist, path)
			files = append(files, name)
			if name != "handler" || runtime.GOOS+"/"+runtime.GOARCH == "linux/amd64" {
				require.Equal(t, content(t, path), content(t, filepath.Join(unpacked, name)), name)
			}
		}
		return err
	}))
	require.ElementsMatch(t, []string{
		"host.json", "handler", "api/function.json", "collect-dead-letters/function.json", "dashboard/function.json", "drills.yaml",
		"protect-new-resource/function.json", "protection.yaml", "run-step/function.json", "schedule-backups/function.json", "schedules.yaml",
		"start-operation/function.json", "sweep/function.json", "sweep-resources/function.json",
	}, files)
	var unpackedFiles []string
	require.NoError(t, filepath.WalkDir(unpacked, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			name, _ := filepath.Rel(unpacked, path)
			unpackedFiles = append(unpackedFiles, name)
		}
		return err
	}))
	require.ElementsMatch(t, files, unpackedFiles)
}

func TestPackage_HandlerIsExecutable(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{dist, unpack(t)} {
		info, err := os.Stat(filepath.Join(folder, "handler"))
		require.NoError(t, err)
		require.NotZero(t, info.Mode()&0o111, "%s cannot be executed", folder)
	}
}

// TestPackage_ArchiveRunsAfterUnpacking runs the archive that azd uploads and
// that Azure's host runs unchanged: only its own files, with the modes in the
// archive.
func TestPackage_ArchiveRunsAfterUnpacking(t *testing.T) {
	t.Parallel()
	if platform := runtime.GOOS + "/" + runtime.GOARCH; platform != "linux/amd64" {
		t.Skip("the program of the archive is for linux/amd64, this machine is " + platform)
	}
	l := startInTurn(t, stack.Config{Dist: unpack(t), SpeedFactor: 600})
	v := l.succeeds(l.begin(map[string]any{
		"flow": "backup-now", "key": "unpacked", "parameters": map[string]any{"itemId": itemID(t, l, "vm1")},
	}))
	require.NotEmpty(t, v.JobID, "Azure has backed the item up")
}

// content returns the content of a file.
func content(t *testing.T, file string) []byte {
	t.Helper()
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	return raw
}

// unpack unpacks the deployed archive with its modes.
func unpack(t *testing.T) string {
	t.Helper()
	archive, err := zip.OpenReader(filepath.Join(filepath.Dir(dist), "dist.zip"))
	require.NoError(t, err)
	defer func() { _ = archive.Close() }()
	dir := t.TempDir()
	for _, f := range archive.File {
		require.True(t, filepath.IsLocal(f.Name), f.Name)
		path := filepath.Join(dir, f.Name)
		if f.FileInfo().IsDir() {
			require.NoError(t, os.MkdirAll(path, 0o750))
			continue
		}
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
		r, err := f.Open()
		require.NoError(t, err)
		raw, err := io.ReadAll(r)
		require.NoError(t, err)
		require.NoError(t, r.Close())
		require.NoError(t, os.WriteFile(path, raw, f.Mode()))
	}
	return dir
}

func TestFunctionFiles_BindTheQueuesOfTheProgram(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(dist, "*", "function.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var queues []string
	for _, file := range files {
		var function struct {
			Bindings []struct{ Type, QueueName, Connection string }
		}
		require.NoError(t, json.Unmarshal(content(t, file), &function))
		for _, b := range function.Bindings {
			if b.QueueName != "" {
				require.Equal(t, settings.ServiceBusConnection, b.Connection, file)
				queues = append(queues, b.QueueName)
			}
		}
	}
	require.ElementsMatch(t, []string{settings.RequestsQueue, settings.StepsQueue}, queues,
		"a timer reads the dead-letter queues; rejected is for operators and alerts, no function reads it")
}

func TestSampleSettings_ListEverySettingWithItsDefault(t *testing.T) {
	t.Parallel()
	sample := sampleSettings(t)
	kind := reflect.TypeFor[settings.Settings]()
	for i := range kind.NumField() {
		if !kind.Field(i).IsExported() {
			continue // parsed from a setting
		}
		name, _, _ := strings.Cut(kind.Field(i).Tag.Get("env"), ",")
		require.NotEmpty(t, name, "%s is read from no setting", kind.Field(i).Name)
		require.Contains(t, sample, name, "local.settings.sample.json lacks it")
	}
	for _, connection := range []string{settings.ServiceBusConnection, settings.TablesConnection} {
		require.NotEmpty(t, sample[connection], connection)
	}
	for name := range sample {
		if strings.HasPrefix(name, "AZBACKUPFLOW_") {
			_, known := fieldOf(kind, name)
			require.True(t, known, "%s is in the sample, but nothing reads it", name)
		}
	}
	// An unchanged copy of the sample has no effect.
	defaults, err := settings.Read(nil)
	require.NoError(t, err)
	read, err := settings.Read(sample)
	require.NoError(t, err)
	require.Equal(t, defaults, read)
}

func fieldOf(kind reflect.Type, setting string) (reflect.StructField, bool) {
	for i := range kind.NumField() {
		if name, _, _ := strings.Cut(kind.Field(i).Tag.Get("env"), ","); name == setting {
			return kind.Field(i), true
		}
	}
	return reflect.StructField{}, false
}
