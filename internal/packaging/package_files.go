package packaging

import (
	"archive/zip"
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// file is one file of a package.
type file struct {
	name   string // within the package, with slashes
	source string
	mode   fs.FileMode
}

// files returns the files of a package with the given program, sorted by name.
func (l layout) files(root, program string) []file {
	files := []file{
		{name: hostFile, source: filepath.Join(root, hostFile), mode: 0o644},
		{name: l.program, source: program, mode: 0o755},
	}
	for _, name := range l.declared {
		files = append(files, file{name: name, source: filepath.Join(root, name), mode: 0o644})
	}
	for _, function := range l.functions {
		files = append(files, file{
			name:   function + "/" + functionFile,
			source: filepath.Join(root, functionsFolder, function, functionFile),
			mode:   0o644,
		})
	}
	slices.SortFunc(files, func(a, b file) int { return cmp.Compare(a.name, b.name) })
	return files
}

func writeFolder(folder string, files []file) error {
	for _, f := range files {
		path := filepath.Join(folder, filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return fmt.Errorf("add %s to the package: %w", f.name, err)
		}
		to, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, f.mode)
		if err != nil {
			return fmt.Errorf("add %s to the package: %w", f.name, err)
		}
		if err := f.copyTo(to); err != nil {
			_ = to.Close() // the first error is more useful
			return err
		}
		if err := to.Close(); err != nil {
			return fmt.Errorf("add %s to the package: %w", f.name, err)
		}
	}
	return nil
}

func writeArchive(path string, files []file) error {
	to, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("create the archive: %w", err)
	}
	defer func() { _ = to.Close() }() // closed below on success
	archive := zip.NewWriter(to)
	for _, f := range files {
		header := &zip.FileHeader{
			Name:   f.name,
			Method: zip.Deflate,
			// A fixed time makes archives reproducible. The format knows no earlier
			// one.
			Modified: time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC),
		}
		header.SetMode(f.mode)
		entry, err := archive.CreateHeader(header)
		if err != nil {
			return fmt.Errorf("add %s to the archive: %w", f.name, err)
		}
		if err := f.copyTo(entry); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("finish the archive: %w", err)
	}
	if err := to.Close(); err != nil {
		return fmt.Errorf("finish the archive: %w", err)
	}
	return nil
}

func (f file) copyTo(to io.Writer) error {
	from, err := os.Open(f.source)
	if err != nil {
		return fmt.Errorf("add %s to the package: %w", f.name, err)
	}
	defer func() { _ = from.Close() }() // only read
	if _, err := io.Copy(to, from); err != nil {
		return fmt.Errorf("add %s to the package: %w", f.name, err)
	}
	return nil
}
