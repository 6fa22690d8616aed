package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

// Reach looks whether a queue can be sent to and, if asked, received from. It
// sends and receives nothing: it opens the links, and peeks. It gives up after
// ten seconds.
func Reach(ctx context.Context, client *azservicebus.Client, queue string, receive bool) error {
	ctx, cancel := context.WithTimeout(ctx, longestSend)
	defer cancel()
	sender, err := client.NewSender(queue, nil)
	if err != nil {
		return fmt.Errorf("reach queue %s: %w", queue, err)
	}
	// The batch needs to know how large a message may be, which the link says.
	_, err = sender.NewMessageBatch(ctx, nil)
	_ = sender.Close(ctx) // what it complains about is what broke it
	if err != nil {
		return fmt.Errorf("send to queue %s: %w", queue, err)
	}
	if !receive {
		return nil
	}
	receiver, err := client.NewReceiverForQueue(queue, nil)
	if err != nil {
		return fmt.Errorf("reach queue %s: %w", queue, err)
	}
	_, err = receiver.PeekMessages(ctx, 1, nil)
	if err := errors.Join(err, receiver.Close(ctx)); err != nil {
		return fmt.Errorf("receive from queue %s: %w", queue, err)
	}
	return nil
}
