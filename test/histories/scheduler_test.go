package histories_test

import (
	"cmp"
	"container/heap"
	"runtime"
	"slices"
	"sync"
	"testing/synctest"
	"time"
)

// scheduler runs the processes of a history. It lets one goroutine run at a
// time, until that goroutine ends or stops at its next command.
type scheduler struct {
	mu      sync.Mutex
	stopped []*stop
	events  events
	order   int
}

// stop is a goroutine that waits before or after a command.
type stop struct {
	p     *process
	point string
	// resume continues the goroutine, or ends it if false.
	resume chan bool
}

// event is something that happens at a time.
type event struct {
	at    time.Time
	order int
	do    func()
}

// events is a heap by time. Events of the same time keep their order.
type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at.Before(e[j].at) || e[i].at.Equal(e[j].at) && e[i].order < e[j].order
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }

// Push implements heap.Interface.
func (e *events) Push(x any) {
	if one, ok := x.(event); ok {
		*e = append(*e, one)
	}
}

// Pop implements heap.Interface.
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

// at plans an event.
func (s *scheduler) at(when time.Time, do func()) {
	s.order++
	heap.Push(&s.events, event{when, s.order, do})
}

// next waits until the time of the next event, and lets it happen.
func (s *scheduler) next() {
	e, _ := heap.Pop(&s.events).(event)
	if wait := time.Until(e.at); wait > 0 {
		<-time.After(wait)
	}
	e.do()
}

// pass stops the calling goroutine until the scheduler continues it. If the
// process has crashed, the goroutine ends.
func (s *scheduler) pass(p *process, point string) {
	one := &stop{p, point, make(chan bool)}
	s.mu.Lock()
	s.stopped = append(s.stopped, one)
	s.mu.Unlock()
	if !<-one.resume {
		runtime.Goexit()
	}
}

// wait waits until every goroutine has ended or stopped. It returns the new
// stops in an order that does not depend on chance.
func (s *scheduler) wait() []*stop {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	stopped := s.stopped
	s.stopped = nil
	slices.SortFunc(stopped, func(a, b *stop) int { return cmp.Or(a.p.id-b.p.id, cmp.Compare(a.point, b.point)) })
	return stopped
}
