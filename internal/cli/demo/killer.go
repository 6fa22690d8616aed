package demo

import (
	"sync"

	"azbackupflow/internal/local/fault"
	"azbackupflow/internal/local/stack"
)

// killer kills the handler once: after Azure has accepted a backup request and
// before the response arrives.
type killer struct {
	armed bool

	mu    sync.Mutex
	stack *stack.Stack
	note  func(string)
	kills int
}

// arm sets the stack whose handler is killed, and where the kill is reported.
func (k *killer) arm(s *stack.Stack, note func(string)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stack, k.note = s, note
}

func (k *killer) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.kills
}

// hook is the fault hook of the stack.
func (k *killer) hook(m fault.Moment, r fault.Request) {
	if !k.armed || m != fault.During || r.Service != "arm" || r.Kind != "POST backup" {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stack != nil && k.kills == 0 && k.stack.KillHandler() {
		k.kills++
		k.note("the handler is killed (SIGKILL): Azure has accepted the backup request, the response is lost. The host restarts the handler.")
	}
}
