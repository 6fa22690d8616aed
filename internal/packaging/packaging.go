// Package packaging assembles the package that Azure Functions runs.
//
// The Functions host finds functions only in folders directly below the folder of
// host.json (https://learn.microsoft.com/azure/azure-functions/functions-custom-handlers,
// azure-functions-host issue 5373). The sources keep them together in functions/.
// So Build assembles a folder:
//
//	dist/host.json
//	dist/handler                     the program, for this machine
//	dist/<function>/function.json
//
// It also writes an archive of the same files, with the program built for Azure
// (linux/amd64, or linux/arm64 for a plan with such machines), and a bill of
// materials of that program (CycloneDX). On a Linux machine with that processor,
// folder and archive hold the same program, byte for byte. The archive depends only
// on the sources, the version and the Go release, so two builds are identical.
//
// Release builds everything that a release consists of: that archive, and the command
// line for six platforms.
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

// Config holds what to package, and where to.
type Config struct {
	// Root is the folder with host.json and functions/.
	Root string
	// Folder is the folder to assemble. Build replaces an earlier package in it.
	Folder string
	// Archive is the zip file to write. The bill of materials has its name with
	// .cdx.json added.
	Archive string
	// Arch is the processor of the archive's program: amd64, which Flex Consumption
	// has, or arm64. Empty means amd64.
	Arch string
	// Version becomes the variable main.version of the program.
	Version string
}

// Result describes a package.
type Result struct {
	// Functions are the names of the functions, sorted.
	Functions []string
	// Program is the name of the program within the package.
	Program string
	// ProgramBytes and ArchiveBytes are sizes.
	ProgramBytes, ArchiveBytes int64
}

// Build checks the layout, builds the program, and writes folder and archive. If it
// fails, an earlier folder is unchanged.
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
		return Result{}, fmt.Errorf("create the parent folder of the package: %w", err)
	}
	scratch, err := os.MkdirTemp(parent, ".package-")
	if err != nil {
		return Result{}, fmt.Errorf("create a temporary folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	programs, err := buildPrograms(ctx, cfg, scratch)
	if err != nil {
		return Result{}, err
	}
	folder := filepath.Join(scratch, "folder")
	if err := writeFolder(folder, app.files(cfg.Root, programs.local)); err != nil {
		return Result{}, err
	}
	archive := cfg.Archive + ".partial"
	defer func() { _ = os.Remove(archive) }() // it exists only after a failure
	if err := writeDeployment(ctx, cfg, app, programs.azure, archive); err != nil {
		return Result{}, err
	}
	if err := replace(cfg, folder, archive); err != nil {
		return Result{}, err
	}
	return measure(cfg, app)
}

// programs are the paths of the built programs: for this machine, and for Azure.
type programs struct{ local, azure string }

// buildPrograms builds one program, or two if this machine is not like Azure's.
func buildPrograms(ctx context.Context, cfg Config, scratch string) (programs, error) {
	azure, err := azureOn(cfg.Arch)
	if err != nil {
		return programs{}, err
	}
	local := platform{os: runtime.GOOS, arch: runtime.GOARCH}
	built := programs{local: filepath.Join(scratch, "program")}
	if err := local.build(ctx, cfg.Root, built.local, cfg.Version, functionsFolder); err != nil {
		return programs{}, err
	}
	if local == azure {
		built.azure = built.local
		return built, nil
	}
	built.azure = filepath.Join(scratch, "program-azure")
	return built, azure.build(ctx, cfg.Root, built.azure, cfg.Version, functionsFolder)
}

// writeDeployment writes the archive and the bill of materials.
func writeDeployment(ctx context.Context, cfg Config, app layout, program, archive string) error {
	if err := os.MkdirAll(filepath.Dir(cfg.Archive), 0o750); err != nil {
		return fmt.Errorf("create the folder of the archive: %w", err)
	}
	if err := writeArchive(archive, app.files(cfg.Root, program)); err != nil {
		return err
	}
	materials, err := billOfMaterials(ctx, cfg.Root, program, app.program, cfg.Version)
	if err != nil {
		return err
	}
	if err := os.WriteFile(cfg.Archive+sbomSuffix, materials, 0o600); err != nil {
		return fmt.Errorf("write the bill of materials: %w", err)
	}
	return nil
}

// replace moves the new folder and archive to their places.
func replace(cfg Config, folder, archive string) error {
	if err := os.RemoveAll(cfg.Folder); err != nil {
		return fmt.Errorf("remove the earlier package: %w", err)
	}
	if err := os.Rename(folder, cfg.Folder); err != nil {
		return fmt.Errorf("move the package to %s: %w", cfg.Folder, err)
	}
	if err := os.Rename(archive, cfg.Archive); err != nil {
		return fmt.Errorf("move the archive to %s: %w", cfg.Archive, err)
	}
	return nil
}

// measure returns the result of a finished package.
func measure(cfg Config, app layout) (Result, error) {
	program, err := os.Stat(filepath.Join(cfg.Folder, app.program))
	if err != nil {
		return Result{}, fmt.Errorf("read the size of the program: %w", err)
	}
	archive, err := os.Stat(cfg.Archive)
	if err != nil {
		return Result{}, fmt.Errorf("read the size of the archive: %w", err)
	}
	return Result{
		Functions:    app.functions,
		Program:      app.program,
		ProgramBytes: program.Size(),
		ArchiveBytes: archive.Size(),
	}, nil
}

// mayReplace returns an error if the folder holds anything but an earlier package.
func mayReplace(folder string) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && len(entries) == 0) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the earlier package: %w", err)
	}
	if _, err := os.Stat(filepath.Join(folder, hostFile)); err != nil {
		return fmt.Errorf("%s is not empty and holds no package; remove it, or set another folder", folder)
	}
	return nil
}
