package functionshost

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// timerStatus holds the times of a timer's last and next runs.
type timerStatus struct {
	Last, Next, LastUpdated time.Time
}

// timerStore stores the status of timers in memory, and in a file if it has a path.
type timerStore struct {
	mu     sync.Mutex
	path   string
	status map[string]timerStatus
}

// openTimerStore loads the file at a path. An empty path means memory only.
func openTimerStore(path string) (*timerStore, error) {
	store := &timerStore{path: path, status: map[string]timerStatus{}}
	if path == "" {
		return store, nil
	}
	if err := readJSON(path, &store.status); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("load the timer status: %w", err)
	}
	return store, nil
}

func (s *timerStore) get(function string) (timerStatus, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	status, ok := s.status[function]
	return status, ok
}

// put stores a status. It replaces the file atomically.
func (s *timerStore) put(function string, status timerStatus) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status[function] = status
	if s.path == "" {
		return nil
	}
	raw, err := json.MarshalIndent(s.status, "", "  ")
	if err != nil {
		return fmt.Errorf("save the timer status: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o750); err != nil {
		return fmt.Errorf("save the timer status: %w", err)
	}
	if err := os.WriteFile(s.path+".new", raw, 0o600); err != nil {
		return fmt.Errorf("save the timer status: %w", err)
	}
	if err := os.Rename(s.path+".new", s.path); err != nil {
		return fmt.Errorf("save the timer status: %w", err)
	}
	return nil
}
