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
	// settleLimit bounds one try to settle or to renew, and closing.
	settleLimit = 3 * time.Second
	// settleTries is how often a message is tried to be settled: a try on a
	// link whose connection just broke waits in vain.
	settleTries = 3
	// receivePause is how long a trigger waits after it could not receive.
	receivePause = time.Second
	// gatherTime is how long a receive goes on after its first message.
	gatherTime = time.Millisecond
	// renewMargin is how long before its end a lock is renewed, at most.
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

// busTrigger takes messages from one queue for one function.
type busTrigger struct {
	host     *Host
	function *Function
	client   busClient
	open     func() (messageReceiver, error)

	mu       sync.RWMutex // held for reading while the receiver is used
	receiver messageReceiver
	retired  chan struct{} // closed when nothing more is received
}

// newBusTrigger opens a trigger's receiver.
func newBusTrigger(h *Host, function *Function, client busClient, open func() (messageReceiver, error)) (*busTrigger, error) {
	receiver, err := open()
	if err != nil {
		return nil, err
	}
	return &busTrigger{host: h, function: function, client: client, open: open, receiver: receiver, retired: make(chan struct{})}, nil
}

// run takes messages until ctx ends, then waits for those in work.
func (t *busTrigger) run(ctx context.Context) {
	var working sync.WaitGroup
	defer t.close(ctx)
	defer working.Wait()
	defer t.retire(ctx)
	slots := make(chan struct{}, t.host.app.Host.MaxConcurrentCalls)
	work := context.WithoutCancel(ctx) // what was taken is finished
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
		t.host.log.WarnContext(ctx, "messages cannot be received", "function", t.function.Name, "error", err)
		select {
		case <-t.host.after(receivePause):
		case <-ctx.Done():
			return
		}
	}
}

// retire closes the link that messages arrive on and puts another in its place,
// to settle what is in work. The broker still owes the first link the messages
// that it asked for: one that is abandoned from here on would go to it, and
// stay locked there when it closes.
func (t *busTrigger) retire(ctx context.Context) {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer close(t.retired)
	t.close(ctx)
	settler, err := t.open()
	if err != nil {
		t.host.log.WarnContext(ctx, "messages in work cannot be settled", "function", t.function.Name, "error", err)
		return
	}
	t.receiver = settler
}

func (t *busTrigger) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleLimit)
	defer cancel()
	if err := t.receiver.Close(ctx); err != nil {
		t.host.log.DebugContext(ctx, "the receiver did not close properly", "function", t.function.Name, "error", err)
	}
}

// use calls the receiver that there is. The message it is called with is known
// to it: to another than the one that received it, by its lock alone.
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

// byLock is a message without the link that it came over, which the client
// settles by a request of its own.
func byLock(message *azservicebus.ReceivedMessage) *azservicebus.ReceivedMessage {
	return &azservicebus.ReceivedMessage{LockToken: message.LockToken, MessageID: message.MessageID}
}

// process invokes the function with a message and settles it by the outcome.
func (t *busTrigger) process(ctx context.Context, message *azservicebus.ReceivedMessage) {
	err := t.invoke(ctx, message)
	if err == nil {
		t.settle(ctx, "complete", message, func(ctx context.Context, r messageReceiver, message *azservicebus.ReceivedMessage) error {
			return r.CompleteMessage(ctx, message, nil)
		})
		return
	}
	if !t.host.Running() {
		<-t.retired // else this host would get it once more
	}
	t.settle(ctx, "abandon", message, func(ctx context.Context, r messageReceiver, message *azservicebus.ReceivedMessage) error {
		return r.AbandonMessage(ctx, message, nil)
	})
}

// invoke runs the function while the message's lock is renewed, and returns
// when neither goes on.
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
	renewing, stop := context.WithCancel(ctx)
	var renewal sync.WaitGroup
	renewal.Go(func() { t.renew(renewing, message) })
	defer renewal.Wait()
	defer stop()
	_, err = t.host.invoke(ctx, i)
	return err
}

// renew keeps a message's lock until ctx ends or the limit of host.json is
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
			t.host.log.WarnContext(ctx, "a lock cannot be renewed", "function", t.function.Name, "messageId", message.MessageID, "error", err)
			return
		}
		if !message.LockedUntil.After(before) {
			return // a broker whose clock stands still would be asked for ever
		}
	}
}

// settle completes or abandons a message and lets the fault hook see it.
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
		// The broker gives the message out again when its lock ends.
		t.host.log.WarnContext(ctx, "a message cannot be settled", "how", kind, "function", t.function.Name, "messageId", message.MessageID, "error", err)
	}
	t.host.fault.At(fault.After, request)
}

// isLockLost says whether the broker gave the message to somebody else, or will.
func isLockLost(err error) bool {
	var busError *azservicebus.Error
	return errors.As(err, &busError) && busError.Code == azservicebus.CodeLockLost
}
