package queue

import (
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

// longestSend bounds one send with all its retries. A connection whose other
// end has vanished gives no error until AMQP's idle time-out, a minute; whoever
// sends has other things to do by then.
const longestSend = 10 * time.Second

// longestDetach bounds the parting with a link that is given up.
const longestDetach = time.Second

// ClientOptions suit the client that New and NewPublisher are given: a bus that
// is out of reach shows within seconds.
func ClientOptions() *azservicebus.ClientOptions {
	return &azservicebus.ClientOptions{RetryOptions: azservicebus.RetryOptions{
		MaxRetries:    2,
		RetryDelay:    300 * time.Millisecond,
		MaxRetryDelay: 2 * time.Second,
	}}
}
