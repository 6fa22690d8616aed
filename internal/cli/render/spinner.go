package render

import (
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Spinner shows what a command waits for, in the last line of a terminal. Write
// other output through Around.
type Spinner struct {
	mu       sync.Mutex
	columns  func() int
	bar      *progressbar.ProgressBar
	describe func() string
	done     chan struct{}
	wg       sync.WaitGroup
}

const spinInterval = 120 * time.Millisecond

// NewSpinner starts a spinner. Without a terminal, and for data, the spinner
// shows nothing.
func (p *Printer) NewSpinner() *Spinner {
	s := &Spinner{columns: p.c.ErrColumns, done: make(chan struct{}), describe: func() string { return "" }}
	if !p.c.Spinner || p.Structured() {
		return s
	}
	s.bar = newBar(p.c.Err)
	ticks, stop := p.c.Ticks(spinInterval)
	s.wg.Go(func() {
		defer stop()
		for {
			select {
			case <-s.done:
				return
			case <-ticks:
				s.spin()
			}
		}
	})
	return s
}

// newBar returns a bar of unknown length that moves only when spin is called.
func newBar(w io.Writer) *progressbar.ProgressBar {
	return progressbar.NewOptions(-1,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSpinnerType(14),
		progressbar.OptionSetSpinnerChangeInterval(0),
		progressbar.OptionSetElapsedTime(false),
	)
}

func (s *Spinner) spin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if text := s.describe(); text != "" {
		s.bar.Describe(shortenMiddle(text, max(s.columns(), minProse)-4))
	}
}

// Describe sets the text of the spinner. The spinner calls describe at each turn.
func (s *Spinner) Describe(describe func() string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.describe = describe
}

// Around clears the spinner and calls write.
func (s *Spinner) Around(write func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bar != nil {
		_ = s.bar.Clear() // a closed terminal shows nothing
	}
	write()
}

// Stop removes the spinner.
func (s *Spinner) Stop() {
	close(s.done)
	s.wg.Wait()
	s.Around(func() {})
}
