package servicebus

import (
	"io"
	"sync"
	"time"
)

// maxBuffered is how many bytes may wait to be written before those who write
// have to wait too: a client that reads nothing must not fill the memory.
const maxBuffered = 4 << 20

// writeBuffer collects what is to be written to a connection. One goroutine writes
// it, as much at a time as there is.
type writeBuffer struct {
	mu       sync.Mutex
	progress *sync.Cond // something was written, or the writeBuffer closed
	pending  []byte
	queued   uint64 // bytes put in so far
	written  uint64 // of those, bytes written
	closed   bool
	kick     chan struct{}
}

func newWriteBuffer() *writeBuffer {
	o := &writeBuffer{kick: make(chan struct{}, 1)}
	o.progress = sync.NewCond(&o.mu)
	return o
}

// put adds what appending writes, and returns a mark to wait for. After the
// writeBuffer has closed it does nothing.
func (o *writeBuffer) put(appending func(b []byte) []byte) (mark uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.pending) > maxBuffered && !o.closed {
		o.progress.Wait()
	}
	if o.closed {
		return o.queued
	}
	before := len(o.pending)
	o.pending = appending(o.pending)
	o.queued += uint64(len(o.pending) - before) //nolint:gosec // appending never shortens
	select {
	case o.kick <- struct{}{}:
	default:
	}
	return o.queued
}

// wait returns when everything up to a mark has been written, or never will be.
func (o *writeBuffer) wait(mark uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.written < mark && !o.closed {
		o.progress.Wait()
	}
}

func (o *writeBuffer) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.progress.Broadcast()
}

// run writes to w until done is closed or writing fails. When beat fires, it
// writes keepAlive.
func (o *writeBuffer) run(w io.Writer, done <-chan struct{}, beat <-chan time.Time, keepAlive []byte) error {
	defer o.close()
	var buffer []byte
	for {
		select {
		case <-o.kick:
		case <-beat:
			o.put(func(b []byte) []byte { return append(b, keepAlive...) })
		case <-done:
			return nil
		}
		o.mu.Lock()
		buffer, o.pending = o.pending, buffer[:0]
		o.mu.Unlock()
		if len(buffer) == 0 { // the heartbeat took along what the kick was for
			continue
		}
		if _, err := w.Write(buffer); err != nil {
			return err
		}
		o.mu.Lock()
		o.written += uint64(len(buffer))
		o.progress.Broadcast()
		o.mu.Unlock()
		if cap(buffer) > maxBuffered {
			buffer = nil
		}
	}
}
