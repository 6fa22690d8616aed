package queue

import (
	"context"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

// maxSendTime limits one send with all its retries. A connection whose peer has
// vanished reports no error until AMQP's idle timeout of one minute, and the
// caller cannot wait that long.
const maxSendTime = 10 * time.Second

// maxDetachTime limits the close of a failed link.
const maxDetachTime = time.Second

// Observer observes the send of one message. The send uses the returned
// context, and reports its error to the returned function.
type Observer func(ctx context.Context, queue string) (context.Context, func(error))

// ClientOptions returns the options of the client that New and NewPublisher
// take. With them, an unavailable namespace is reported within seconds.
func ClientOptions() *azservicebus.ClientOptions {
	return &azservicebus.ClientOptions{RetryOptions: azservicebus.RetryOptions{
		MaxRetries:    2,
		RetryDelay:    300 * time.Millisecond,
		MaxRetryDelay: 2 * time.Second,
	}}
}
