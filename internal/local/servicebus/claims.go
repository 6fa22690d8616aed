package servicebus

import (
	"strings"
	"sync"
	"time"
)

// grants are the tokens that a client has put on its connection: each allows a
// path and what is below it until it expires.
type claims struct {
	mu    sync.Mutex
	until map[string]time.Time // by path in lower case
}

func (g *claims) add(path string, until time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.until == nil {
		g.until = make(map[string]time.Time)
	}
	g.until[strings.ToLower(path)] = until
}

// allow tells whether a token covers a path at a time.
func (g *claims) allow(now time.Time, path string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for granted, until := range g.until {
		if covers(granted, path) && until.After(now) {
			return true
		}
	}
	return false
}

// covers tells whether a path is a granted one or below it.
func covers(granted, path string) bool {
	granted, path = strings.ToLower(granted), strings.ToLower(path)
	return granted == "" || path == granted || strings.HasPrefix(path, granted+"/")
}
