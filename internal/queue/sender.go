package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

// sender keeps one azservicebus.Sender for a queue and replaces it when it has
// failed for good. azservicebus mends links and connections by itself, but
// keeps a link that was detached for a reason it counts as fatal, such as a
// disabled queue, and would go on giving that reason long after it has passed.
type sender struct {
	client *azservicebus.Client
	queue  string
	// observe, if set, is told of each message that is sent.
	observe func(ctx context.Context, queue string) (context.Context, func(error))

	mu      sync.Mutex
	current *azservicebus.Sender
}

// send sends the message and tells the observer.
func (s *sender) send(ctx context.Context, m *azservicebus.Message) error {
	if s.observe == nil {
		return s.transmit(ctx, m)
	}
	ctx, done := s.observe(ctx, s.queue)
	err := s.transmit(ctx, m)
	done(err)
	return err
}

// transmit sends the message, on a second link if the first had been given up.
func (s *sender) transmit(ctx context.Context, m *azservicebus.Message) error {
	limited, cancel := context.WithTimeout(ctx, longestSend)
	defer cancel()
	used, err := s.open()
	if err == nil {
		err = used.SendMessage(limited, m, nil)
	}
	if hasCode(err, azservicebus.CodeClosed) && used != nil {
		// Another send has just given this link up.
		s.giveUp(ctx, used)
		if used, err = s.open(); err == nil {
			err = used.SendMessage(limited, m, nil)
		}
	}
	if err == nil {
		return nil
	}
	// The caller's own end says nothing about the link.
	if used != nil && ctx.Err() == nil && !mendsItself(err) {
		s.giveUp(ctx, used)
	}
	return fmt.Errorf("send message to queue %s: %w", s.queue, err)
}

func (s *sender) open() (*azservicebus.Sender, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil {
		opened, err := s.client.NewSender(s.queue, nil)
		if err != nil {
			return nil, err
		}
		s.current = opened
	}
	return s.current, nil
}

// giveUp makes the next send open another link, and closes this one.
func (s *sender) giveUp(ctx context.Context, used *azservicebus.Sender) {
	s.mu.Lock()
	if s.current == used {
		s.current = nil
	}
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, longestDetach)
	defer cancel()
	// What closing a broken link complains about is what broke it.
	_ = used.Close(ctx)
}

func (s *sender) close(ctx context.Context) error {
	s.mu.Lock()
	used := s.current
	s.current = nil
	s.mu.Unlock()
	if used == nil {
		return nil
	}
	if err := used.Close(ctx); err != nil {
		return fmt.Errorf("close link to queue %s: %w", s.queue, err)
	}
	return nil
}

// mendsItself reports whether the error leaves the link as good as new, or
// azservicebus renews it at the next send.
func mendsItself(err error) bool {
	return errors.Is(err, azservicebus.ErrMessageTooLarge) || hasCode(err, azservicebus.CodeConnectionLost)
}

func hasCode(err error, code azservicebus.Code) bool {
	var known *azservicebus.Error
	return errors.As(err, &known) && known.Code == code
}
