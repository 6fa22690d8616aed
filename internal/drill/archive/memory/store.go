// Package memory keeps the documents of an archive in memory, for tests.
package memory

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"azbackupflow/internal/drill/archive"
)

// Store is the memory twin of package blobs.
type Store struct {
	mu      sync.Mutex
	objects map[string]archive.Object
	held    map[string]bool
}

// New returns an empty store.
func New() *Store {
	return &Store{objects: map[string]archive.Object{}, held: map[string]bool{}}
}

func cloned(o archive.Object) archive.Object {
	o.Content, o.Metadata = bytes.Clone(o.Content), maps.Clone(o.Metadata)
	return o
}

// Create stores a new object.
func (s *Store) Create(ctx context.Context, o archive.Object) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("create %s: %w", o.Name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.objects[o.Name]; taken {
		return fmt.Errorf("create %s: %w", o.Name, archive.ErrExists)
	}
	s.objects[o.Name] = cloned(o)
	return nil
}

// Read returns an object.
func (s *Store) Read(ctx context.Context, name string) (archive.Object, error) {
	if err := ctx.Err(); err != nil {
		return archive.Object{}, fmt.Errorf("read %s: %w", name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o, found := s.objects[name]
	if !found {
		return archive.Object{}, fmt.Errorf("read %s: %w", name, archive.ErrNotFound)
	}
	return cloned(o), nil
}

// Delete deletes an object.
func (s *Store) Delete(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("delete %s: %w", name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, found := s.objects[name]; !found {
		return fmt.Errorf("delete %s: %w", name, archive.ErrNotFound)
	}
	if s.held[name] {
		return fmt.Errorf("delete %s: %w", name, archive.ErrHeld)
	}
	delete(s.objects, name)
	return nil
}

// Hold keeps an object from being deleted, as an immutability policy does.
func (s *Store) Hold(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[name] = true
}

// Replace changes an object, as someone with access to the storage account can.
func (s *Store) Replace(o archive.Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[o.Name] = cloned(o)
}

// List returns objects without their content.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[archive.Object, error] {
	return func(yield func(archive.Object, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(archive.Object{}, fmt.Errorf("list %s: %w", prefix, err))
			return
		}
		for _, name := range s.names(prefix) {
			s.mu.Lock()
			o := cloned(s.objects[name])
			s.mu.Unlock()
			o.Content = nil
			if !yield(o, nil) {
				return
			}
		}
	}
}

func (s *Store) names(prefix string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for name := range s.objects {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Folders returns the next parts of names.
func (s *Store) Folders(ctx context.Context, prefix string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("list the folders of %s: %w", prefix, err)
	}
	var folders []string
	for _, name := range s.names(prefix) {
		folder, _, found := strings.Cut(strings.TrimPrefix(name, prefix), "/")
		if found && !slices.Contains(folders, folder) {
			folders = append(folders, folder)
		}
	}
	return folders, nil
}

// Location returns the name.
func (s *Store) Location(name string) string { return "memory:" + name }
