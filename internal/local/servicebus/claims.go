package servicebus

import (
	"strings"
	"sync"
	"time"
)

// rights are the operations that a token allows.
type rights struct{ send, listen bool }

func (r rights) any() bool { return r.send || r.listen }

// cover reports whether r includes all needed rights.
func (r rights) cover(needed rights) bool {
	return (r.send || !needed.send) && (r.listen || !needed.listen)
}

// claims are the tokens that a client has sent on its connection. Each allows
// operations on a path and its children until it expires.
type claims struct {
	mu     sync.Mutex
	byPath map[string]claim // by path in lower case
}

type claim struct {
	rights rights
	until  time.Time
}

// add stores a claim. It replaces an earlier one for the same path.
func (c *claims) add(path string, added claim) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byPath == nil {
		c.byPath = make(map[string]claim)
	}
	c.byPath[strings.ToLower(path)] = added
}

// rights returns what the unexpired tokens allow on a path.
func (c *claims) rights(now time.Time, path string) rights {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all rights
	for claimed, held := range c.byPath {
		if covers(claimed, path) && held.until.After(now) {
			all.send = all.send || held.rights.send
			all.listen = all.listen || held.rights.listen
		}
	}
	return all
}

// covers reports whether a path is equal to a claimed one or below it.
func covers(claimed, path string) bool {
	claimed, path = strings.ToLower(claimed), strings.ToLower(path)
	return claimed == "" || path == claimed || strings.HasPrefix(path, claimed+"/")
}
