package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

// sender holds one azservicebus.Sender for a queue and replaces it after a
// permanent failure. azservicebus recovers links and connections by itself, but
// it keeps a link that was detached for a reason it treats as fatal, such as a
// disabled queue. That link would fail with the old reason long after the queue
// is enabled again.
type sender struct {
	client *azservicebus.Client
	queue  string
	// observe is optional.
	observe Observer

	mu      sync.Mutex
	current *azservicebus.Sender
}

// send sends the message and calls the observer.
func (s *sender) send(ctx context.Context, m *azservicebus.Message) error {
	if s.observe == nil {
		return s.transmit(ctx, m)
	}
	ctx, done := s.observe(ctx, s.queue)
	err := s.transmit(ctx, m)
	done(err)
	return err
}

// transmit sends the message. It uses a second link if the first was closed.
func (s *sender) transmit(ctx context.Context, m *azservicebus.Message) error {
	limited, cancel := context.WithTimeout(ctx, maxSendTime)
	defer cancel()
	used, err := s.open()
	if err == nil {
		err = used.SendMessage(limited, m, nil)
	}
	if hasCode(err, azservicebus.CodeClosed) && used != nil {
		// A concurrent send has just discarded this link.
		s.discard(ctx, used)
		if used, err = s.open(); err == nil {
			err = used.SendMessage(limited, m, nil)
		}
	}
	if err == nil {
		return nil
	}
	// If the caller's context ended, the link may be intact.
	if used != nil && ctx.Err() == nil && !keepsLink(err) {
		s.discard(ctx, used)
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

// discard closes a link. The next send opens a new one.
func (s *sender) discard(ctx context.Context, used *azservicebus.Sender) {
	s.mu.Lock()
	if s.current == used {
		s.current = nil
	}
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, maxDetachTime)
	defer cancel()
	_ = used.Close(ctx) // Closing a broken link fails for the known reason.
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

// keepsLink reports whether the link can be used after the error, because it is
// intact or azservicebus recovers it at the next send.
func keepsLink(err error) bool {
	return errors.Is(err, azservicebus.ErrMessageTooLarge) || hasCode(err, azservicebus.CodeConnectionLost)
}

func hasCode(err error, code azservicebus.Code) bool {
	var known *azservicebus.Error
	return errors.As(err, &known) && known.Code == code
}
