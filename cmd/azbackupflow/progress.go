package main

import (
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress is a spinner at the foot of a terminal that says what is waited for.
// Lines above it are written through around, so that the two do not mix.
type progress struct {
	mu   sync.Mutex
	bar  *progressbar.ProgressBar
	says func() string
	done chan struct{}
	wg   sync.WaitGroup
}

const spinEvery = 120 * time.Millisecond

// newProgress starts a spinner; without a terminal there is none.
func (a *app) newProgress() *progress {
	p := &progress{done: make(chan struct{}), says: func() string { return "" }}
	if !a.errorTerminal || a.json() {
		return p
	}
	p.bar = newSpinner(a.stderr)
	ticks, stop := a.ticks(spinEvery)
	p.wg.Go(func() {
		defer stop()
		for {
			select {
			case <-p.done:
				return
			case <-ticks:
				p.spin()
			}
		}
	})
	return p
}

// newSpinner makes a bar of unknown length that only turns when it is told to.
func newSpinner(w io.Writer) *progressbar.ProgressBar {
	return progressbar.NewOptions(-1,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSpinnerType(14),
		progressbar.OptionSetSpinnerChangeInterval(0),
		progressbar.OptionSetElapsedTime(false),
	)
}

func (p *progress) spin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if text := p.says(); text != "" {
		p.bar.Describe(middleOut(text, width-4))
	}
}

// say sets what the spinner says from now on; it is asked at each turn.
func (p *progress) say(what func() string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.says = what
}

// around clears the spinner away, and then writes.
func (p *progress) around(write func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Clear() // a terminal that is gone shows nothing anyway
	}
	write()
}

// stop ends the spinner.
func (p *progress) stop() {
	close(p.done)
	p.wg.Wait()
	p.around(func() {})
}
