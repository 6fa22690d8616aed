package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

// Ping checks that a queue can be sent to and, if requested, received from. It
// opens the links and peeks; it sends and receives nothing. It gives up after
// ten seconds.
func Ping(ctx context.Context, client *azservicebus.Client, queue string, receive bool) error {
	ctx, cancel := context.WithTimeout(ctx, maxSendTime)
	defer cancel()
	sender, err := client.NewSender(queue, nil)
	if err != nil {
		return fmt.Errorf("connect to queue %s: %w", queue, err)
	}
	// A new batch opens the link, because the link reports the maximum message
	// size.
	_, err = sender.NewMessageBatch(ctx, nil)
	_ = sender.Close(ctx) // The error of the open says more.
	if err != nil {
		return fmt.Errorf("send to queue %s: %w", queue, err)
	}
	if !receive {
		return nil
	}
	receiver, err := client.NewReceiverForQueue(queue, nil)
	if err != nil {
		return fmt.Errorf("connect to queue %s: %w", queue, err)
	}
	_, err = receiver.PeekMessages(ctx, 1, nil)
	if err := errors.Join(err, receiver.Close(ctx)); err != nil {
		return fmt.Errorf("receive from queue %s: %w", queue, err)
	}
	return nil
}
