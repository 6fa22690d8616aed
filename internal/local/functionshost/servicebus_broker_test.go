package functionshost

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"azbackupflow/internal/local/fault"
	"azbackupflow/internal/local/servicebus"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// received holds what the handler received for one message.
type received struct {
	body          string
	deliveryCount string
	metadata      map[string]json.RawMessage
}

// readEnvelope decodes the message as a handler does.
func readEnvelope(t *testing.T, r *http.Request) received {
	var envelope struct{ Data, Metadata map[string]json.RawMessage }
	raw, err := io.ReadAll(r.Body)
	assert.NoError(t, err)
	assert.NoError(t, json.Unmarshal(raw, &envelope))
	got := received{metadata: envelope.Metadata}
	var once string
	assert.NoError(t, json.Unmarshal(envelope.Data["message"], &once))
	assert.NoError(t, json.Unmarshal([]byte(once), &got.body))
	assert.NoError(t, json.Unmarshal(envelope.Metadata["DeliveryCount"], &got.deliveryCount))
	return got
}

// startWithBroker starts a broker, and a host with one function on a queue and one on
// its dead-letter queue.
func startWithBroker(t *testing.T, script http.HandlerFunc, change func(*Config)) (*Host, *azservicebus.Sender) {
	t.Helper()
	broker := startBroker(t)
	return startOnBroker(t, broker, script, change), newSender(t, broker)
}

func startBroker(t *testing.T) *servicebus.Broker {
	t.Helper()
	broker, err := servicebus.New(servicebus.Config{Queues: []servicebus.QueueConfig{{Name: "steps"}}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, broker.Close()) })
	return broker
}

func startOnBroker(t *testing.T, broker *servicebus.Broker, script http.HandlerFunc, change func(*Config)) *Host {
	t.Helper()
	dead := strings.Replace(queueFunction, "%QUEUE%", "%QUEUE%/$DeadLetterQueue", 1)
	return startHost(t, newApp(t, plainHostJSON, map[string]string{"run-step": queueFunction, "dead-letter-steps": dead}), script, func(c *Config) {
		c.Settings["QUEUE"] = "steps"
		c.Settings["ServiceBusConnection"] = broker.ConnectionString()
		if change != nil {
			change(c)
		}
	})
}

func newSender(t *testing.T, broker *servicebus.Broker) *azservicebus.Sender {
	t.Helper()
	client, err := azservicebus.NewClientFromConnectionString(broker.ConnectionString(), &azservicebus.ClientOptions{
		RetryOptions: azservicebus.RetryOptions{RetryDelay: 10 * time.Millisecond},
	})
	require.NoError(t, err)
	sender, err := client.NewSender("steps", nil)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		assert.NoError(t, client.Close(ctx))
	})
	return sender
}

func TestBroker_MessagesAreDeliveredAndSettled(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	tries := map[string][]string{}
	dead := make(chan received, 1)
	_, sender := startWithBroker(t, func(w http.ResponseWriter, r *http.Request) {
		got := readEnvelope(t, r)
		if r.URL.Path == "/dead-letter-steps" {
			dead <- got
			succeed(w, r)
			return
		}
		mu.Lock()
		tries[got.body] = append(tries[got.body], got.deliveryCount)
		count := len(tries[got.body])
		mu.Unlock()
		if got.body == "never" || got.body == "twice" && count < 2 {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		succeed(w, r)
	}, nil)
	for _, body := range []string{"once", "twice", "never"} {
		require.NoError(t, sender.SendMessage(t.Context(), &azservicebus.Message{
			Body: []byte(body), MessageID: pointer("id-" + body), ApplicationProperties: map[string]any{"n": int64(7)},
		}, nil))
	}
	var last received
	select {
	case last = <-dead:
	case <-time.After(30 * time.Second):
		require.Fail(t, "no message was dead-lettered")
	}
	eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(tries["once"]) == 1 && len(tries["twice"]) == 2
	}, "the others are done")
	require.Equal(t, "never", last.body)
	require.JSONEq(t, `"\"id-never\""`, string(last.metadata["MessageId"]))
	var properties map[string]any
	require.NoError(t, json.Unmarshal(last.metadata["ApplicationProperties"], &properties))
	require.InDelta(t, 7, properties["n"], 0)
	require.Equal(t, "MaxDeliveryCountExceeded", properties["DeadLetterReason"])
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, []string{"1"}, tries["once"])
	require.Equal(t, []string{"1", "2"}, tries["twice"])
	require.Equal(t, []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"}, tries["never"])
}

func TestBroker_RedeliversAfterAKilledHandler(t *testing.T) {
	t.Parallel()
	var host *Host
	var kill sync.Once
	ready := make(chan struct{})
	counts := make(chan string, 10)
	host, sender := startWithBroker(t, func(w http.ResponseWriter, r *http.Request) {
		counts <- readEnvelope(t, r).deliveryCount
		<-ready
		kill.Do(func() { host.KillHandler() })
		succeed(w, r)
	}, nil)
	close(ready)
	require.NoError(t, sender.SendMessage(t.Context(), &azservicebus.Message{Body: []byte("m")}, nil))
	require.Equal(t, "1", <-counts)
	require.Equal(t, "2", <-counts, "abandoned, and delivered to the next handler")
	require.Equal(t, 1, host.Crashes())
}

func TestBroker_CompletesWhenTheHandlerDiesAfterItsResponse(t *testing.T) {
	t.Parallel()
	var host *Host
	ready, completed := make(chan struct{}), make(chan struct{})
	var kill sync.Once
	host, sender := startWithBroker(t, succeed, func(c *Config) {
		c.Fault = func(m fault.Moment, r fault.Request) {
			switch {
			case m == fault.During && r.Kind == "invoke run-step":
				<-ready
				kill.Do(func() { host.KillHandler() })
			case m == fault.During && r.Kind == "complete run-step":
				close(completed)
			case strings.HasPrefix(r.Kind, "abandon"):
				assert.Fail(t, "the handler had responded")
			}
		}
	})
	close(ready)
	require.NoError(t, sender.SendMessage(t.Context(), &azservicebus.Message{Body: []byte("m")}, nil))
	<-completed
	eventually(t, func() bool { return host.Crashes() == 1 }, "the crash is counted")
}

func TestBroker_KeepsMessagesOfAHostThatStopped(t *testing.T) {
	t.Parallel()
	var host *Host
	ready := make(chan struct{})
	host, sender := startWithBroker(t, func(http.ResponseWriter, *http.Request) {
		<-ready
		host.KillHandler()
	}, nil)
	close(ready)
	require.NoError(t, sender.SendMessage(t.Context(), &azservicebus.Message{Body: []byte("m")}, nil))
	<-host.Done()

	again := make(chan string, 1)
	startHost(t, host.app.Root, func(w http.ResponseWriter, r *http.Request) {
		again <- readEnvelope(t, r).deliveryCount
		succeed(w, r)
	}, func(c *Config) {
		c.Settings["QUEUE"] = "steps"
		c.Settings["ServiceBusConnection"] = host.settings["ServiceBusConnection"]
	})
	select {
	case count := <-again:
		require.Equal(t, "4", count, "a new host receives the message of the third crash")
	case <-time.After(30 * time.Second):
		require.Fail(t, "the message stays locked in the host that stopped")
	}
}

func TestBroker_DeliversAfterAnOutage(t *testing.T) {
	t.Parallel()
	broker := startBroker(t)
	got := make(chan string, 10)
	startOnBroker(t, broker, func(w http.ResponseWriter, r *http.Request) {
		got <- readEnvelope(t, r).body
		succeed(w, r)
	}, nil)
	sender := newSender(t, broker)
	for _, body := range []string{"before", "after"} {
		require.NoError(t, sender.SendMessage(t.Context(), &azservicebus.Message{Body: []byte(body)}, nil))
		select {
		case arrived := <-got:
			require.Equal(t, body, arrived)
		case <-time.After(30 * time.Second):
			require.Fail(t, "the message did not arrive", body)
		}
		broker.SetAvailable(false)
		broker.SetAvailable(true)
	}
}

func TestClose_EndsWithoutABroker(t *testing.T) {
	t.Parallel()
	broker := startBroker(t)
	h := startOnBroker(t, broker, succeed, nil)
	waitReady(t, h)
	require.NoError(t, broker.Close())
	h.stop(ErrClosed)
	select {
	case <-h.Done():
	case <-time.After(30 * time.Second):
		require.Fail(t, "the host hangs")
	}
}

// The waits of this host never end, so there is no pause between an abandoned message
// and its next delivery.
func TestBroker_RedeliversFailedMessagesWithoutAPause(t *testing.T) {
	t.Parallel()
	counts := make(chan string, 20)
	dead := make(chan string, 1)
	_, sender := startWithBroker(t, func(w http.ResponseWriter, r *http.Request) {
		got := readEnvelope(t, r)
		if r.URL.Path == "/dead-letter-steps" {
			dead <- got.deliveryCount
			succeed(w, r)
			return
		}
		counts <- got.deliveryCount
		w.WriteHeader(http.StatusInternalServerError)
	}, func(c *Config) {
		c.After = func(d time.Duration) <-chan time.Time {
			if d == readyPoll {
				return time.After(d)
			}
			return nil
		}
	})
	require.NoError(t, sender.SendMessage(t.Context(), &azservicebus.Message{Body: []byte("m")}, nil))
	require.Equal(t, "11", <-dead)
	require.Len(t, counts, 10)
}

func TestBroker_DeliversDeadLettersWithoutEnd(t *testing.T) {
	t.Parallel()
	counts := make(chan string)
	_, sender := startWithBroker(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/dead-letter-steps" {
			select {
			case counts <- readEnvelope(t, r).deliveryCount:
			case <-t.Context().Done():
			}
		}
		w.WriteHeader(http.StatusInternalServerError)
	}, nil)
	require.NoError(t, sender.SendMessage(t.Context(), &azservicebus.Message{Body: []byte("m")}, nil))
	for range 40 { // four times the maximum of the queue itself
		require.NotEmpty(t, <-counts)
	}
}

func TestBroker_UnbindableMessagesNeverReachTheHandler(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]azservicebus.AMQPAnnotatedMessageBody{
		"number":   {Value: int64(7)},
		"map":      {Value: map[string]any{"flow": "backup-now"}},
		"sequence": {Sequence: [][]any{{"a", "b"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := newLogLines()
			_, sender := startWithBroker(t, func(w http.ResponseWriter, r *http.Request) {
				assert.Fail(t, "the handler was called")
				succeed(w, r)
			}, func(c *Config) { c.Log = slog.New(log) })
			require.NoError(t, sender.SendAMQPAnnotatedMessage(t.Context(), &azservicebus.AMQPAnnotatedMessage{Body: body}, nil))
			eventually(t, func() bool { return log.count("message not bindable") > 15 }, "it fails in the queue and in its dead-letter queue")
		})
	}
}
