// Package packaging turns the sources into what Azure Functions runs.
//
// The Functions host finds functions only in folders directly below the one
// that holds host.json (https://learn.microsoft.com/azure/azure-functions/functions-custom-handlers,
// azure-functions-host issue 5373), while the sources keep them together in
// functions/. So a folder is put together:
//
//	dist/host.json
//	dist/handler                     the program, for this machine
//	dist/<function>/function.json
//
// and an archive of the same with the program built for Azure (linux/amd64,
// or linux/arm64 for a plan that has such machines), and beside it a bill of
// materials of that program (CycloneDX). On a Linux machine with that processor
// folder and archive hold the same program, byte for byte. The archive depends
// on the sources, the version and the Go release only: building twice gives the
// same bytes.
package packaging

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// functionsFolder holds the handler program and a folder for each function.
const functionsFolder = "functions"

// Config says what to package, and where to.
type Config struct {
	// Root is the folder with host.json and functions/.
	Root string
	// Folder is made, or made anew if it holds an earlier package.
	Folder string
	// Archive is the zip file to write; the bill of materials has its name with
	// .cdx.json added.
	Archive string
	// Arch is the processor that the archive is for: amd64, which is what Flex
	// Consumption has, or arm64. Empty means amd64.
	Arch string
	// Version becomes the variable main.version of the program.
	Version string
}

// Result says what was made.
type Result struct {
	// Functions are the names, sorted.
	Functions []string
	// Program is the name of the program within the package.
	Program string
	// ProgramBytes and ArchiveBytes are sizes.
	ProgramBytes, ArchiveBytes int64
}

// Build checks the layout, builds the program and writes folder and archive.
// Where it fails, an earlier folder is left as it was.
func Build(ctx context.Context, cfg Config) (Result, error) {
	app, err := readLayout(cfg.Root)
	if err != nil {
		return Result{}, err
	}
	if err := mayReplace(cfg.Folder); err != nil {
		return Result{}, err
	}
	parent := filepath.Dir(filepath.Clean(cfg.Folder))
	if err := os.MkdirAll(parent, 0o750); err != nil {
		return Result{}, fmt.Errorf("make the package's parent: %w", err)
	}
	scratch, err := os.MkdirTemp(parent, ".package-")
	if err != nil {
		return Result{}, fmt.Errorf("make a scratch folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(scratch) }()

	azure, err := azureOn(cfg.Arch)
	if err != nil {
		return Result{}, err
	}
	local := platform{os: runtime.GOOS, arch: runtime.GOARCH}
	program := filepath.Join(scratch, "program")
	if err := local.build(ctx, cfg.Root, program, cfg.Version); err != nil {
		return Result{}, err
	}
	deployed := program
	if local != azure {
		deployed = filepath.Join(scratch, "program-azure")
		if err := azure.build(ctx, cfg.Root, deployed, cfg.Version); err != nil {
			return Result{}, err
		}
	}

	folder := filepath.Join(scratch, "folder")
	if err := writeFolder(folder, app.files(cfg.Root, program)); err != nil {
		return Result{}, err
	}
	if err := os.MkdirAll(filepath.Dir(cfg.Archive), 0o750); err != nil {
		return Result{}, fmt.Errorf("make the archive's folder: %w", err)
	}
	archive := cfg.Archive + ".partial"
	defer func() { _ = os.Remove(archive) }() // There only after a failure.
	if err := writeArchive(archive, app.files(cfg.Root, deployed)); err != nil {
		return Result{}, err
	}
	materials, err := billOfMaterials(ctx, cfg.Root, deployed, app.program, cfg.Version)
	if err != nil {
		return Result{}, err
	}
	if err := os.WriteFile(cfg.Archive+sbomSuffix, materials, 0o600); err != nil {
		return Result{}, fmt.Errorf("write the bill of materials: %w", err)
	}
	if err := os.RemoveAll(cfg.Folder); err != nil {
		return Result{}, fmt.Errorf("remove the earlier package: %w", err)
	}
	if err := os.Rename(folder, cfg.Folder); err != nil {
		return Result{}, fmt.Errorf("put the package in place: %w", err)
	}
	if err := os.Rename(archive, cfg.Archive); err != nil {
		return Result{}, fmt.Errorf("put the archive in place: %w", err)
	}
	return measure(cfg, app)
}

func measure(cfg Config, app layout) (Result, error) {
	program, err := os.Stat(filepath.Join(cfg.Folder, app.program))
	if err != nil {
		return Result{}, fmt.Errorf("measure the program: %w", err)
	}
	archive, err := os.Stat(cfg.Archive)
	if err != nil {
		return Result{}, fmt.Errorf("measure the archive: %w", err)
	}
	return Result{
		Functions:    app.functions,
		Program:      app.program,
		ProgramBytes: program.Size(),
		ArchiveBytes: archive.Size(),
	}, nil
}

// mayReplace refuses to remove what is not an earlier package.
func mayReplace(folder string) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && len(entries) == 0) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look at the earlier package: %w", err)
	}
	if _, err := os.Stat(filepath.Join(folder, hostFile)); err != nil {
		return fmt.Errorf("%s is not empty and holds no package: remove it, or name another folder", folder)
	}
	return nil
}
