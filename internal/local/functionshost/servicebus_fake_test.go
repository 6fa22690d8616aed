package functionshost

import (
	"context"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

// fakeReceiver returns messages and records their settlement.
type fakeReceiver struct {
	mu       sync.Mutex
	waiting  chan *azservicebus.ReceivedMessage
	asked    []int
	settled  []string
	renewals int
	failures int // number of receives that fail first
	extend   func(*azservicebus.ReceivedMessage) error
	closed   bool
}

func newFakeReceiver(messages ...*azservicebus.ReceivedMessage) *fakeReceiver {
	f := &fakeReceiver{waiting: make(chan *azservicebus.ReceivedMessage, 100)}
	for _, message := range messages {
		f.waiting <- message
	}
	return f
}

func (f *fakeReceiver) ReceiveMessages(ctx context.Context, maxMessages int, _ *azservicebus.ReceiveMessagesOptions) ([]*azservicebus.ReceivedMessage, error) {
	f.mu.Lock()
	f.asked = append(f.asked, maxMessages)
	failing := f.failures > 0
	f.failures--
	f.mu.Unlock()
	if failing {
		return nil, errTest
	}
	select {
	case message := <-f.waiting:
		return []*azservicebus.ReceivedMessage{message}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (f *fakeReceiver) note(what string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.settled = append(f.settled, what)
	return nil
}

func (f *fakeReceiver) notes() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.settled...)
}

func (f *fakeReceiver) CompleteMessage(_ context.Context, message *azservicebus.ReceivedMessage, _ *azservicebus.CompleteMessageOptions) error {
	return f.note("complete " + message.MessageID)
}

func (f *fakeReceiver) AbandonMessage(_ context.Context, message *azservicebus.ReceivedMessage, _ *azservicebus.AbandonMessageOptions) error {
	return f.note("abandon " + message.MessageID)
}

func (f *fakeReceiver) RenewMessageLock(_ context.Context, message *azservicebus.ReceivedMessage, _ *azservicebus.RenewMessageLockOptions) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.renewals++
	return f.extend(message)
}

func (f *fakeReceiver) renewed() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.renewals
}

func (f *fakeReceiver) Close(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	return nil
}
