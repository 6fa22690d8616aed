package packaging_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"io"
	"io/fs"
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

const (
	hostJSON  = `{"version":"2.0","customHandler":{"description":{"defaultExecutablePath":"handler"}}}`
	queueJSON = `{"bindings":[{"type":"serviceBusTrigger","direction":"in","name":"message","queueName":"steps","connection":"ServiceBusConnection"}]}`
	timerJSON = `{"bindings":[{"type":"timerTrigger","direction":"in","name":"timer","schedule":"0 * * * * *"}]}`
	program   = "package main\n\nimport \"os\"\n\nvar version string\n\nfunc main() { _, _ = os.Stdout.WriteString(version) }\n"
)

// sources writes an app with two functions, with the changes of the test.
func sources(t *testing.T, changes map[string]string) string {
	t.Helper()
	root := t.TempDir()
	files := map[string]string{
		"go.mod":                           "module example\n\ngo 1.26\n",
		"host.json":                        hostJSON,
		"functions/main.go":                program,
		"functions/run-step/function.json": queueJSON,
		"functions/run-step/README.md":     "not packaged",
		"functions/Sweep/function.json":    timerJSON,
		"functions/testdata/golden.json":   "{}",
	}
	for name, text := range changes {
		files[name] = text
	}
	for name, text := range files {
		if text == "" {
			continue
		}
		path := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return root
}

func build(t *testing.T, root string) (packaging.Config, packaging.Result) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes seconds: builds a program")
	}
	cfg := packaging.Config{Root: root, Folder: filepath.Join(root, "out", "dist"), Archive: filepath.Join(root, "out", "dist.zip"), Version: "v1.2.3"}
	made, err := packaging.Build(t.Context(), cfg)
	require.NoError(t, err)
	return cfg, made
}

func TestBuild_WritesTheProgramAndEachFunctionOneLevelDown(t *testing.T) {
	t.Parallel()
	root := sources(t, nil)
	cfg, made := build(t, root)
	require.Equal(t, []string{"Sweep", "run-step"}, made.Functions)

	var names []string
	require.NoError(t, filepath.WalkDir(cfg.Folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, err := filepath.Rel(cfg.Folder, path)
			require.NoError(t, err)
			names = append(names, filepath.ToSlash(name))
		}
		return err
	}))
	require.Equal(t, []string{"Sweep/function.json", "handler", "host.json", "run-step/function.json"}, names)

	for name, text := range map[string]string{"host.json": hostJSON, "run-step/function.json": queueJSON} {
		got, err := os.ReadFile(filepath.Join(cfg.Folder, name))
		require.NoError(t, err)
		require.Equal(t, text, string(got))
	}
	left, err := os.ReadDir(filepath.Dir(cfg.Folder))
	require.NoError(t, err)
	require.Len(t, left, 3, "temporary files are left next to the package")
}

func TestBuild_SetsTheProgramsVersion(t *testing.T) {
	t.Parallel()
	cfg, made := build(t, sources(t, nil))
	out, err := exec.CommandContext(t.Context(), filepath.Join(cfg.Folder, made.Program)).Output()
	require.NoError(t, err)
	require.Equal(t, "v1.2.3", string(out))
}

func TestBuild_ArchivesTheSameFilesWithAnExecutableProgram(t *testing.T) {
	t.Parallel()
	cfg, _ := build(t, sources(t, nil))
	archive, err := zip.OpenReader(cfg.Archive)
	require.NoError(t, err)
	defer func() { require.NoError(t, archive.Close()) }()

	modes := map[string]fs.FileMode{}
	for _, f := range archive.File {
		modes[f.Name] = f.Mode()
		require.Equal(t, 1980, f.Modified.Year())
		if f.Name != "handler" {
			continue
		}
		from, err := f.Open()
		require.NoError(t, err)
		deployed, err := io.ReadAll(from)
		require.NoError(t, err)
		require.Equal(t, "\x7fELF", string(deployed[:4]))
		if runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
			local, err := os.ReadFile(filepath.Join(cfg.Folder, "handler"))
			require.NoError(t, err)
			require.Equal(t, local, deployed, "the local program differs from the deployed one")
		}
	}
	require.Equal(t, map[string]fs.FileMode{
		"Sweep/function.json": 0o644, "handler": 0o755, "host.json": 0o644, "run-step/function.json": 0o644,
	}, modes)
}

func TestBuild_WritesTheSameArchiveInAnotherFolder(t *testing.T) {
	t.Parallel()
	first, _ := build(t, sources(t, nil))
	second, _ := build(t, sources(t, nil))
	want, err := os.ReadFile(first.Archive)
	require.NoError(t, err)
	got, err := os.ReadFile(second.Archive)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestBuild_ArchivesAProgramForTheRequestedProcessor(t *testing.T) {
	t.Parallel()
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		t.Run(arch, func(t *testing.T) {
			t.Parallel()
			root := sources(t, nil)
			cfg := packaging.Config{Root: root, Folder: filepath.Join(root, "dist"), Archive: filepath.Join(root, "dist.zip"), Arch: arch, Version: "v1"}
			_, err := packaging.Build(t.Context(), cfg)
			require.NoError(t, err)
			archive, err := zip.OpenReader(cfg.Archive)
			require.NoError(t, err)
			defer func() { require.NoError(t, archive.Close()) }()
			from, err := archive.Open("handler")
			require.NoError(t, err)
			content, err := io.ReadAll(from)
			require.NoError(t, err)
			program, err := elf.NewFile(bytes.NewReader(content))
			require.NoError(t, err)
			require.Equal(t, machine, program.Machine)
			require.Empty(t, imported(t, program), "the program needs a library of the machine")
		})
	}
	_, err := packaging.Build(t.Context(), packaging.Config{Root: sources(t, nil), Folder: t.TempDir(), Archive: "a.zip", Arch: "riscv64"})
	require.EqualError(t, err, `processor "riscv64" is not supported; set amd64 or arm64`)
}

func imported(t *testing.T, program *elf.File) []string {
	t.Helper()
	libraries, err := program.ImportedLibraries()
	require.NoError(t, err)
	return libraries
}

func TestBuild_WritesAReproducibleBillOfMaterials(t *testing.T) {
	t.Parallel()
	cfg, _ := build(t, sources(t, nil))
	again, _ := build(t, sources(t, nil))
	text, err := os.ReadFile(cfg.Archive + ".cdx.json")
	require.NoError(t, err)
	other, err := os.ReadFile(again.Archive + ".cdx.json")
	require.NoError(t, err)
	require.Equal(t, string(text), string(other))

	var bom cdx.BOM
	require.NoError(t, cdx.NewBOMDecoder(bytes.NewReader(text), cdx.BOMFileFormatJSON).Decode(&bom))
	archive, err := zip.OpenReader(cfg.Archive)
	require.NoError(t, err)
	defer func() { require.NoError(t, archive.Close()) }()
	from, err := archive.Open("handler")
	require.NoError(t, err)
	content, err := io.ReadAll(from)
	require.NoError(t, err)
	sum := sha256.Sum256(content)
	program := bom.Metadata.Component
	require.Equal(t, "v1.2.3", program.Version)
	require.Equal(t, hex.EncodeToString(sum[:]), (*program.Hashes)[0].Value)
	require.Equal(t, "pkg:golang/std@"+strings.TrimPrefix(runtime.Version(), "go"), (*bom.Components)[0].PackageURL)
	require.Len(t, *bom.Components, 1, "the example uses nothing else")
	require.Equal(t, "BSD-3-Clause", (*(*bom.Components)[0].Licenses)[0].License.ID)
}

func TestBuild_RemovesADeletedFunction(t *testing.T) {
	t.Parallel()
	root := sources(t, nil)
	build(t, root)
	require.NoError(t, os.RemoveAll(filepath.Join(root, "functions", "Sweep")))
	cfg, made := build(t, root)
	require.Equal(t, []string{"run-step"}, made.Functions)
	require.NoDirExists(t, filepath.Join(cfg.Folder, "Sweep"))
}

func TestBuild_LeavesTheEarlierPackageWhenItFails(t *testing.T) {
	t.Parallel()
	root := sources(t, nil)
	cfg, _ := build(t, root)
	require.NoError(t, os.WriteFile(filepath.Join(root, "functions", "main.go"), []byte("package main\n\nfunc main() { nowhere() }\n"), 0o600))
	_, err := packaging.Build(t.Context(), cfg)
	require.ErrorContains(t, err, "undefined: nowhere")
	require.FileExists(t, filepath.Join(cfg.Folder, "handler"))
	require.FileExists(t, cfg.Archive)
}

func TestBuild_KeepsAFolderThatIsNotAPackage(t *testing.T) {
	t.Parallel()
	root := sources(t, nil)
	_, err := packaging.Build(t.Context(), packaging.Config{Root: root, Folder: filepath.Join(root, "functions"), Archive: filepath.Join(root, "a.zip"), Version: "v1"})
	require.ErrorContains(t, err, "holds no package")
	require.FileExists(t, filepath.Join(root, "functions", "main.go"))
}

func TestBuild_RejectsWhatTheHostRejects(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		changes map[string]string
		want    string
	}{
		"no host.json":              {map[string]string{"host.json": ""}, "host.json"},
		"broken host.json":          {map[string]string{"host.json": "{"}, "read host.json"},
		"old host.json":             {map[string]string{"host.json": `{"version":"1.0","customHandler":{"description":{"defaultExecutablePath":"handler"}}}`}, `"1.0"`},
		"a path for the program":    {map[string]string{"host.json": `{"version":"2.0","customHandler":{"description":{"defaultExecutablePath":"./handler"}}}`}, "plain file name"},
		"no program":                {map[string]string{"host.json": `{"version":"2.0"}`}, "plain file name"},
		"no functions":              {map[string]string{"functions/run-step/function.json": "", "functions/Sweep/function.json": ""}, "no folder with a function.json"},
		"a name with a dot":         {map[string]string{"functions/run.step/function.json": queueJSON}, `"run.step"`},
		"the name host":             {map[string]string{"functions/Host/function.json": queueJSON}, `"Host"`},
		"the name of the program":   {map[string]string{"functions/Handler/function.json": queueJSON}, "same name"},
		"a broken function.json":    {map[string]string{"functions/run-step/function.json": "["}, `"run-step": read function.json`},
		"no trigger":                {map[string]string{"functions/run-step/function.json": `{"bindings":[]}`}, "0 triggers"},
		"two triggers":              {map[string]string{"functions/run-step/function.json": `{"bindings":[{"type":"aTrigger","direction":"in","name":"a"},{"type":"bTrigger","direction":"in","name":"b"}]}`}, "2 triggers"},
		"a trigger that goes out":   {map[string]string{"functions/run-step/function.json": `{"bindings":[{"type":"aTrigger","direction":"out","name":"a"}]}`}, `"out"`},
		"a binding without a name":  {map[string]string{"functions/run-step/function.json": `{"bindings":[{"type":"aTrigger","direction":"in"}]}`}, "no name"},
		"a version of many linkers": {map[string]string{"version": "v1 -X main.other=1"}, "space"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			version := "v1"
			if c.changes["version"] != "" {
				version = c.changes["version"]
			}
			root := sources(t, c.changes)
			_, err := packaging.Build(t.Context(), packaging.Config{Root: root, Folder: filepath.Join(root, "dist"), Archive: filepath.Join(root, "dist.zip"), Version: version})
			require.ErrorContains(t, err, c.want)
			require.NoDirExists(t, filepath.Join(root, "dist"))
		})
	}
}

func TestBuild_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	root := sources(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := packaging.Build(ctx, packaging.Config{Root: root, Folder: filepath.Join(root, "dist"), Archive: filepath.Join(root, "dist.zip"), Version: "v1"})
	require.ErrorIs(t, err, context.Canceled)
}
