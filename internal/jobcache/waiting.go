package jobcache

import (
	"strings"
	"time"
)

// vault is the state of a vault in this process.
type vault struct {
	// waiting holds, for each job that operations wait for, the time of its last
	// or next check.
	waiting map[string]time.Time
	// snapshot is the shared row as last loaded, etag its ETag.
	snapshot snapshot
	etag     string
	// reading is a semaphore for reading the shared row.
	reading chan struct{}
}

// join records that an operation waits for a job. It reports whether the vault
// has enough waiting operations for a shared list.
func (c *Cache) join(key, job string, now time.Time) (v *vault, enough bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.vaults[key]
	if !ok {
		v = &vault{waiting: map[string]time.Time{}, reading: make(chan struct{}, 1)}
		c.vaults[key] = v
	}
	v.waiting[strings.ToLower(job)] = now
	if len(v.waiting) < minWaiting {
		return v, false
	}
	if len(v.waiting)%16 == 0 || len(v.waiting) < 2*minWaiting {
		// Drop jobs that were not checked recently; they have ended, or their
		// operations continue on another instance.
		for name, at := range v.waiting {
			if now.Sub(at) > 2*c.cfg.Waits.MaxJob {
				delete(v.waiting, name)
			}
		}
	}
	return v, len(v.waiting) >= minWaiting
}

// expect records the time of the next check of a job. If little quota is left,
// that time is far enough away that join would otherwise drop the job.
func (c *Cache) expect(v *vault, job string, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v.waiting[strings.ToLower(job)] = at
}

// Forget records that no operation waits for a job any more.
func (c *Cache) Forget(vaultID, job string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := strings.ToLower(vaultID)
	v, ok := c.vaults[key]
	if !ok {
		return
	}
	delete(v.waiting, strings.ToLower(job))
	if len(v.waiting) == 0 {
		delete(c.vaults, key)
	}
}
