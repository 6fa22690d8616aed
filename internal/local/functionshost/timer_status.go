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

// timerStatus is when a timer ran and will run.
type timerStatus struct {
	Last, Next, LastUpdated time.Time
}

// timerStore keeps the status of timers, in a file if it has a path.
type timerStore struct {
	mu     sync.Mutex
	path   string
	status map[string]timerStatus
}

// openTimerStore reads what is kept under path; an empty path keeps nothing.
func openTimerStore(path string) (*timerStore, error) {
	store := &timerStore{path: path, status: map[string]timerStatus{}}
	if path == "" {
		return store, nil
	}
	if err := readJSON(path, &store.status); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the timers' status: %w", err)
	}
	return store, nil
}

func (s *timerStore) get(function string) (timerStatus, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	status, ok := s.status[function]
	return status, ok
}

// put keeps a status; the file is replaced whole.
func (s *timerStore) put(function string, status timerStatus) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status[function] = status
	if s.path == "" {
		return nil
	}
	raw, err := json.MarshalIndent(s.status, "", "  ")
	if err != nil {
		return fmt.Errorf("keep the timers' status: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o750); err != nil {
		return fmt.Errorf("keep the timers' status: %w", err)
	}
	if err := os.WriteFile(s.path+".new", raw, 0o600); err != nil {
		return fmt.Errorf("keep the timers' status: %w", err)
	}
	if err := os.Rename(s.path+".new", s.path); err != nil {
		return fmt.Errorf("keep the timers' status: %w", err)
	}
	return nil
}
