package servicebus

import (
	"io"
	"sync"
)

// maxBuffered is the number of pending bytes above which put blocks, so that a
// client that stops reading cannot exhaust the memory.
const maxBuffered = 4 << 20

// writeBuffer collects the bytes to write to a connection. One goroutine (run)
// writes all pending bytes at once.
type writeBuffer struct {
	mu       sync.Mutex
	progress *sync.Cond // bytes were written, or the buffer was closed
	pending  []byte
	queued   uint64 // bytes added so far
	written  uint64 // bytes written so far
	closed   bool
	kick     chan struct{}
}

func newWriteBuffer() *writeBuffer {
	w := &writeBuffer{kick: make(chan struct{}, 1)}
	w.progress = sync.NewCond(&w.mu)
	return w
}

// put adds the bytes that appending appends, and returns a mark for wait. It does
// nothing after close.
func (w *writeBuffer) put(appending func(b []byte) []byte) (mark uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.pending) > maxBuffered && !w.closed {
		w.progress.Wait()
	}
	if w.closed {
		return w.queued
	}
	before := len(w.pending)
	w.pending = appending(w.pending)
	w.queued += uint64(len(w.pending) - before) //nolint:gosec // appending never shortens
	select {
	case w.kick <- struct{}{}:
	default:
	}
	return w.queued
}

// wait returns when all bytes up to a mark have been written, or the buffer is
// closed.
func (w *writeBuffer) wait(mark uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.written < mark && !w.closed {
		w.progress.Wait()
	}
}

func (w *writeBuffer) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.progress.Broadcast()
}

// run writes to out until done is closed or a write fails.
func (w *writeBuffer) run(out io.Writer, done <-chan struct{}) error {
	defer w.close()
	var buffer []byte
	for {
		select {
		case <-w.kick:
		case <-done:
			return nil
		}
		w.mu.Lock()
		buffer, w.pending = w.pending, buffer[:0]
		w.mu.Unlock()
		if len(buffer) == 0 { // an earlier round has written these bytes
			continue
		}
		if _, err := out.Write(buffer); err != nil {
			return err
		}
		w.mu.Lock()
		w.written += uint64(len(buffer))
		w.progress.Broadcast()
		w.mu.Unlock()
		if cap(buffer) > maxBuffered {
			buffer = nil
		}
	}
}
