package functionshost

import (
	"context"
	"errors"
	"sync"
	"time"

	"azbackupflow/internal/local/fault"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

const (
	// settleLimit limits one attempt to settle, renew or close.
	settleLimit = 3 * time.Second
	// settleTries is the number of attempts to settle a message. An attempt on a
	// broken link waits until its limit.
	settleTries = 3
	// receivePause is the wait after a failed receive.
	receivePause = time.Second
	// gatherTime is the time to wait for more messages after the first one.
	gatherTime = time.Millisecond
	// renewMargin is the maximum time between a renewal and the end of the lock.
	renewMargin = 10 * time.Second
)

// messageReceiver is the part of azservicebus.Receiver that a trigger uses.
type messageReceiver interface {
	ReceiveMessages(ctx context.Context, maxMessages int, options *azservicebus.ReceiveMessagesOptions) ([]*azservicebus.ReceivedMessage, error)
	CompleteMessage(ctx context.Context, message *azservicebus.ReceivedMessage, options *azservicebus.CompleteMessageOptions) error
	AbandonMessage(ctx context.Context, message *azservicebus.ReceivedMessage, options *azservicebus.AbandonMessageOptions) error
	RenewMessageLock(ctx context.Context, message *azservicebus.ReceivedMessage, options *azservicebus.RenewMessageLockOptions) error
	Close(ctx context.Context) error
}

// busTrigger receives messages of one queue for one function.
type busTrigger struct {
	host     *Host
	function *Function
	client   busClient
	open     func() (messageReceiver, error)

	mu       sync.RWMutex // read-locked during calls to the receiver
	receiver messageReceiver
	retired  chan struct{} // closed when no more messages are received
}

// newBusTrigger returns a trigger with an open receiver.
func newBusTrigger(h *Host, function *Function, client busClient, open func() (messageReceiver, error)) (*busTrigger, error) {
	receiver, err := open()
	if err != nil {
		return nil, err
	}
	return &busTrigger{host: h, function: function, client: client, open: open, receiver: receiver, retired: make(chan struct{})}, nil
}

// run receives messages until ctx ends, then waits for those in progress.
func (t *busTrigger) run(ctx context.Context) {
	var working sync.WaitGroup
	defer t.close(ctx)
	defer working.Wait()
	defer t.retire(ctx)
	slots := make(chan struct{}, t.host.app.Host.MaxConcurrentCalls)
	work := context.WithoutCancel(ctx) // received messages are processed to the end
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		<-slots
		messages, err := t.receiver.ReceiveMessages(ctx, cap(slots)-len(slots), &azservicebus.ReceiveMessagesOptions{TimeAfterFirstMessage: gatherTime})
		for _, message := range messages {
			slots <- struct{}{}
			working.Go(func() {
				defer func() { <-slots }()
				t.process(work, message)
			})
		}
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return
		}
		t.host.log.WarnContext(ctx, "receive failed", "function", t.function.Name, "error", err)
		select {
		case <-t.host.after(receivePause):
		case <-ctx.Done():
			return
		}
	}
}

// retire replaces the receiving link with a new one, which settles the messages in
// progress. The first link still has credit at the broker: a message that is
// abandoned now would be sent to it, and stay locked after it closes.
func (t *busTrigger) retire(ctx context.Context) {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer close(t.retired)
	t.close(ctx)
	settler, err := t.open()
	if err != nil {
		t.host.log.WarnContext(ctx, "receiver for settlement not opened", "function", t.function.Name, "error", err)
		return
	}
	t.receiver = settler
}

func (t *busTrigger) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleLimit)
	defer cancel()
	if err := t.receiver.Close(ctx); err != nil {
		t.host.log.DebugContext(ctx, "receiver not closed", "function", t.function.Name, "error", err)
	}
}

// use calls the current receiver. If that is not the receiver that received the
// message, it gets the message's lock only.
func (t *busTrigger) use(message *azservicebus.ReceivedMessage, call func(messageReceiver, *azservicebus.ReceivedMessage) error) error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	select {
	case <-t.retired:
		message = byLock(message)
	default:
	}
	return call(t.receiver, message)
}

// byLock returns a message without its link. The client settles it by a separate
// request.
func byLock(message *azservicebus.ReceivedMessage) *azservicebus.ReceivedMessage {
	return &azservicebus.ReceivedMessage{LockToken: message.LockToken, MessageID: message.MessageID}
}

// process invokes the function and settles the message by the result.
func (t *busTrigger) process(ctx context.Context, message *azservicebus.ReceivedMessage) {
	t.host.logClient(message, linesBeforeMessage()...)
	err := t.invoke(ctx, message)
	t.host.logClient(message, lineAfterMessage)
	if err == nil {
		t.host.logClient(message, lineBeforeCompletion)
		t.settle(ctx, "complete", message, func(ctx context.Context, r messageReceiver, message *azservicebus.ReceivedMessage) error {
			return r.CompleteMessage(ctx, message, nil)
		})
		t.host.logClient(message, lineAfterCompletion)
		return
	}
	if !t.host.Running() {
		<-t.retired // or this host would receive the message again
	}
	t.settle(ctx, "abandon", message, func(ctx context.Context, r messageReceiver, message *azservicebus.ReceivedMessage) error {
		return r.AbandonMessage(ctx, message, nil)
	})
}

// invoke runs the function and renews the message's lock meanwhile. It returns when
// both have ended.
func (t *busTrigger) invoke(ctx context.Context, message *azservicebus.ReceivedMessage) error {
	i, err := newInvocation(t.function, t.host.random)
	if err != nil {
		return err
	}
	i.detail = message.MessageID
	if err := fillMessage(i, t.client, message); err != nil {
		t.host.log.ErrorContext(ctx, "message not bindable", "function", t.function.Name, "messageId", message.MessageID, "error", err)
		return err
	}
	t.host.logTriggerDetails(i, message)
	renewing, stop := context.WithCancel(ctx)
	var renewal sync.WaitGroup
	renewal.Go(func() { t.renew(renewing, message) })
	defer renewal.Wait()
	defer stop()
	_, err = t.host.invoke(ctx, i)
	return err
}

// renew renews a message's lock until ctx ends or the limit of host.json is
// reached.
func (t *busTrigger) renew(ctx context.Context, message *azservicebus.ReceivedMessage) {
	end := t.host.now().Add(t.host.app.Host.MaxLockRenewal)
	for message.LockedUntil != nil {
		left := message.LockedUntil.Sub(t.host.now())
		wait := max(left-min(left/2, renewMargin), 0)
		if t.host.now().Add(wait).After(end) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-t.host.after(wait):
		}
		before := *message.LockedUntil
		limited, cancel := context.WithTimeout(ctx, settleLimit)
		err := t.use(message, func(r messageReceiver, known *azservicebus.ReceivedMessage) error {
			err := r.RenewMessageLock(limited, known, nil)
			if known.LockedUntil != nil {
				message.LockedUntil = known.LockedUntil
			}
			return err
		})
		cancel()
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			t.host.log.WarnContext(ctx, "lock renewal failed", "function", t.function.Name, "messageId", message.MessageID, "error", err)
			return
		}
		if !message.LockedUntil.After(before) {
			return // the broker's clock does not advance; renewing would not end
		}
	}
}

// settle completes or abandons a message, and calls the fault hook.
func (t *busTrigger) settle(ctx context.Context, kind string, message *azservicebus.ReceivedMessage, settle func(context.Context, messageReceiver, *azservicebus.ReceivedMessage) error) {
	request := fault.Request{Service: "host", Kind: kind + " " + t.function.Name, Detail: message.MessageID}
	t.host.fault.At(fault.Before, request)
	var err error
	for try := range settleTries {
		known := message
		if try > 0 {
			known = byLock(message)
		}
		limited, cancel := context.WithTimeout(ctx, settleLimit)
		err = t.use(known, func(r messageReceiver, known *azservicebus.ReceivedMessage) error { return settle(limited, r, known) })
		cancel()
		if err == nil || isLockLost(err) {
			break
		}
	}
	t.host.fault.At(fault.During, request)
	if err != nil {
		// The broker redelivers the message when its lock ends.
		t.host.log.WarnContext(ctx, "settlement failed", "settlement", kind, "function", t.function.Name, "messageId", message.MessageID, "error", err)
	}
	t.host.fault.At(fault.After, request)
}

// isLockLost reports whether the lock has ended, so that the broker redelivers the
// message.
func isLockLost(err error) bool {
	var busError *azservicebus.Error
	return errors.As(err, &busError) && busError.Code == azservicebus.CodeLockLost
}
