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

// deadLetterSuffix is the suffix of a dead-letter queue's name.
const deadLetterSuffix = "/$deadletterqueue"

// busClients holds the Service Bus clients, one for each connection string.
type busClients struct {
	byConnection map[string]*azservicebus.Client
}

// trigger returns the trigger of a function on a queue. It does not connect.
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
		return nil, fmt.Errorf("create a client id: %w", err)
	}
	namespace := namespaceOf(connection)
	description := busClient{namespace: namespace, identifier: namespace + "-" + id.String()}
	client, ok := c.byConnection[connection]
	if !ok {
		client, err = azservicebus.NewClientFromConnectionString(connection, &azservicebus.ClientOptions{
			// A local broker restarts quickly.
			RetryOptions: azservicebus.RetryOptions{MaxRetries: 3, RetryDelay: 100 * time.Millisecond, MaxRetryDelay: time.Second},
		})
		if err != nil {
			return nil, fmt.Errorf("create a Service Bus client: %w", err)
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

// close closes all clients.
func (c *busClients) close(ctx context.Context, h *Host) {
	for _, client := range c.byConnection {
		limited, cancel := context.WithTimeout(ctx, settleLimit)
		if err := client.Close(limited); err != nil {
			h.log.DebugContext(ctx, "Service Bus client not closed", "error", err)
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
