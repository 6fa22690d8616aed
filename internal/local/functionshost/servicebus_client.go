package functionshost

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/google/uuid"
)

// deadLetterSuffix makes a queue's name that of its dead-letter queue.
const deadLetterSuffix = "/$deadletterqueue"

// busClients are the connections to Service Bus, one per connection string.
type busClients struct {
	byConnection map[string]*azservicebus.Client
}

// trigger makes the trigger of a function on a queue. Nothing is sent before
// the first receive.
func (c *busClients) trigger(h *Host, function *Function) (*busTrigger, error) {
	connection, err := h.settings.connection(function.Trigger.Connection)
	if err != nil {
		return nil, err
	}
	queue, err := h.settings.resolve(function.Trigger.QueueName)
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewRandomFromReader(h.random)
	if err != nil {
		return nil, fmt.Errorf("make a client id: %w", err)
	}
	namespace := namespaceOf(connection)
	description := busClient{namespace: namespace, identifier: namespace + "-" + id.String()}
	client, ok := c.byConnection[connection]
	if !ok {
		client, err = azservicebus.NewClientFromConnectionString(connection, &azservicebus.ClientOptions{
			// A broker on the same machine is back within moments.
			RetryOptions: azservicebus.RetryOptions{MaxRetries: 3, RetryDelay: 100 * time.Millisecond, MaxRetryDelay: time.Second},
		})
		if err != nil {
			return nil, fmt.Errorf("connect to Service Bus: %w", err)
		}
		if c.byConnection == nil {
			c.byConnection = map[string]*azservicebus.Client{}
		}
		c.byConnection[connection] = client
	}
	var options azservicebus.ReceiverOptions
	if strings.HasSuffix(strings.ToLower(queue), deadLetterSuffix) {
		options.SubQueue = azservicebus.SubQueueDeadLetter
		queue = queue[:len(queue)-len(deadLetterSuffix)]
	}
	return newBusTrigger(h, function, description, func() (messageReceiver, error) {
		receiver, err := client.NewReceiverForQueue(queue, &options)
		if err != nil {
			return nil, fmt.Errorf("receive from queue %s: %w", queue, err)
		}
		return receiver, nil
	})
}

// close ends all connections.
func (c *busClients) close(ctx context.Context, h *Host) {
	for _, client := range c.byConnection {
		limited, cancel := context.WithTimeout(ctx, settleLimit)
		if err := client.Close(limited); err != nil {
			h.log.DebugContext(ctx, "the Service Bus client did not close properly", "error", err)
		}
		cancel()
	}
}

// namespaceOf returns the host of a connection string's endpoint.
func namespaceOf(connection string) string {
	for part := range strings.SplitSeq(connection, ";") {
		name, value, _ := strings.Cut(part, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "Endpoint") {
			continue
		}
		if endpoint, err := url.Parse(value); err == nil {
			return endpoint.Hostname()
		}
	}
	return ""
}
