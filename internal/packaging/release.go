package packaging

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// commandLine is the folder of the command line, and the name of its program.
const (
	commandLineFolder = "cmd/azbackupflow"
	commandLine       = "azbackupflow"
)

// releaseFiles are the files of the repository that every archive contains.
var releaseFiles = []string{"LICENSE", "CHANGELOG.md"}

// releasePlatforms are the platforms of the command line.
func releasePlatforms() (all []platform) {
	for _, system := range []string{"darwin", "linux", "windows"} {
		for _, arch := range []string{"amd64", "arm64"} {
			all = append(all, platform{os: system, arch: arch})
		}
	}
	return all
}

// ReleaseConfig holds what to release, and where to.
type ReleaseConfig struct {
	// Root is the folder of the repository.
	Root string
	// Folder receives the artefacts. It must be empty or not exist.
	Folder string
	// Version is a version of Semantic Versioning, with or without a leading v.
	Version string
	// Commit is the Git commit that the sources are from.
	Commit string
}

// semantic matches a version of Semantic Versioning without build metadata, which
// file names of GitHub releases do not keep.
// Source: https://semver.org/
var semantic = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$`)

// gitCommit matches the full hash of a commit.
var gitCommit = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// Release writes the artefacts of a release: the command line for six platforms and
// the app's package, a bill of materials for each, the checksums of all of them, and
// the provenance. They depend only on the sources, the version, the commit and the Go
// release. It returns the names of the artefacts, sorted.
func Release(ctx context.Context, cfg ReleaseConfig) ([]string, error) {
	version := strings.TrimPrefix(cfg.Version, "v")
	if !semantic.MatchString(version) {
		return nil, fmt.Errorf("version %q is not a version such as 1.2.3 or 1.3.0-rc.1", cfg.Version)
	}
	if !gitCommit.MatchString(cfg.Commit) {
		return nil, fmt.Errorf("commit %q is not the full hash of a commit; use git rev-parse HEAD", cfg.Commit)
	}
	if entries, err := os.ReadDir(cfg.Folder); err == nil && len(entries) > 0 {
		return nil, fmt.Errorf("%s is not empty; remove it, or set another folder", cfg.Folder)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the folder of the release: %w", err)
	}
	if err := os.MkdirAll(cfg.Folder, 0o750); err != nil {
		return nil, fmt.Errorf("create the folder of the release: %w", err)
	}
	scratch, err := os.MkdirTemp("", "azbackupflow-release-")
	if err != nil {
		return nil, fmt.Errorf("create a temporary folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	r := release{ReleaseConfig: cfg, version: version, scratch: scratch}
	if err := r.writeApp(ctx); err != nil {
		return nil, err
	}
	if err := r.writeCommandLines(ctx); err != nil {
		return nil, err
	}
	return r.writeSums()
}

// release is a release in progress.
type release struct {
	ReleaseConfig
	version string // without the leading v
	scratch string
}

// writeApp writes the package that is deployed.
func (r release) writeApp(ctx context.Context) error {
	_, err := Build(ctx, Config{
		Root: r.Root, Folder: filepath.Join(r.scratch, "dist"), Version: r.version,
		Archive: filepath.Join(r.Folder, fmt.Sprintf("%s-app_%s_linux_amd64.zip", commandLine, r.version)),
	})
	return err
}

// writeCommandLines writes an archive of the command line for each platform.
func (r release) writeCommandLines(ctx context.Context) error {
	page, err := r.manPage(ctx)
	if err != nil {
		return err
	}
	for _, p := range releasePlatforms() {
		program := filepath.Join(r.scratch, p.os+"-"+p.arch)
		if err := p.build(ctx, r.Root, program, r.version, commandLineFolder); err != nil {
			return err
		}
		name := commandLine
		if p.os == "windows" {
			name += ".exe"
		}
		files := []file{{name: name, source: program, mode: 0o755}, {name: commandLine + ".1", source: page, mode: 0o644}}
		for _, f := range releaseFiles {
			files = append(files, file{name: f, source: filepath.Join(r.Root, f), mode: 0o644})
		}
		archive, write := filepath.Join(r.Folder, fmt.Sprintf("%s_%s_%s_%s", commandLine, r.version, p.os, p.arch)), writeTarball
		if p.os == "windows" {
			archive, write = archive+".zip", writeArchive
		} else {
			archive += ".tar.gz"
		}
		if err := write(archive, files); err != nil {
			return err
		}
		materials, err := billOfMaterials(ctx, r.Root, program, name, r.version)
		if err != nil {
			return err
		}
		if err := os.WriteFile(archive+sbomSuffix, materials, 0o600); err != nil {
			return fmt.Errorf("write the bill of materials: %w", err)
		}
	}
	return nil
}

// manPage writes the man page, with the program for this machine.
func (r release) manPage(ctx context.Context) (string, error) {
	program := filepath.Join(r.scratch, "here")
	here := platform{os: runtime.GOOS, arch: runtime.GOARCH}
	if err := here.build(ctx, r.Root, program, r.version, commandLineFolder); err != nil {
		return "", err
	}
	page, err := exec.CommandContext(ctx, program, "man").Output()
	if err != nil {
		return "", fmt.Errorf("write the man page: %w", err)
	}
	path := filepath.Join(r.scratch, commandLine+".1")
	if err := os.WriteFile(path, page, 0o600); err != nil {
		return "", fmt.Errorf("write the man page: %w", err)
	}
	return path, nil
}

// artefacts returns the names of the files in the folder, sorted.
func (r release) artefacts() ([]string, error) {
	entries, err := os.ReadDir(r.Folder)
	if err != nil {
		return nil, fmt.Errorf("list the artefacts: %w", err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return names, nil
}
