package completion

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// cacheAge is how long a cache keeps words: long enough for a command line that is
// being written, and short enough to show what has changed since.
const cacheAge = time.Minute

// maxCacheBytes bounds the file of a cache.
const maxCacheBytes = 4 << 20

// Cache keeps the words of earlier completions in a file, because a shell starts the
// program for each one. A cache that cannot be read or written keeps nothing.
type Cache struct {
	path string
	now  time.Time
}

// cachedWords are the words of one list.
type cachedWords struct {
	At    time.Time   `json:"at"`
	Words []Candidate `json:"words"`
}

// NewCache returns the cache in a folder.
func NewCache(folder string, now time.Time) Cache {
	return Cache{path: filepath.Join(folder, "completion.json"), now: now}
}

// Get returns the words of a list, if they are new enough.
func (c Cache) Get(name string) (words []Candidate, ok bool) {
	found, ok := c.load()[name]
	return found.Words, ok
}

// Put keeps the words of a list, and drops those that are too old.
func (c Cache) Put(name string, words []Candidate) {
	all := c.load()
	all[name] = cachedWords{At: c.now, Words: words}
	raw, err := json.Marshal(all)
	if err != nil || len(raw) > maxCacheBytes {
		return
	}
	folder := filepath.Dir(c.path)
	if os.MkdirAll(folder, 0o700) != nil {
		return
	}
	temporary, err := os.CreateTemp(folder, "completion-*.json") // only the user can read it
	if err != nil {
		return
	}
	_, err = temporary.Write(raw)
	if err = errors.Join(err, temporary.Close()); err == nil {
		err = os.Rename(temporary.Name(), c.path)
	}
	if err != nil {
		_ = os.Remove(temporary.Name()) // a file that stays does no harm
	}
}

// load returns the lists that are new enough.
func (c Cache) load() map[string]cachedWords {
	all := map[string]cachedWords{}
	raw, err := os.ReadFile(c.path)
	if err != nil || json.Unmarshal(raw, &all) != nil {
		return map[string]cachedWords{}
	}
	for name, words := range all {
		if age := c.now.Sub(words.At); age < 0 || age >= cacheAge {
			delete(all, name)
		}
	}
	return all
}
