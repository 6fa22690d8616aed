package e2e

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/fault"
	"azbackupflow/internal/local/stack"
	"azbackupflow/internal/operation"
)

// outage is the duration of the table outage.
const outage = 30 * time.Second

// TestTableOutage_LosesNoOperation makes the table unavailable for half a
// minute, from the moment when Azure has accepted a backup and has not answered
// yet. Running operations and requests on the queue wait. Requests over HTTP
// get an error. Afterwards everything completes.
func TestTableOutage_LosesNoOperation(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	var sites []site
	for i := range 8 {
		sites = append(sites, newSite(&world, fmt.Sprintf("away%d", i), protected))
	}
	fresh := newSite(&world, "awayfresh", undiscovered)
	overBus, overHTTP := newSite(&world, "awaybus", protected), newSite(&world, "awayhttp", protected)

	accepted := newSite(&world, "awayaccepted", protected)

	var l *local
	var ready atomic.Bool
	var wentBack atomic.Int32
	gone := make(chan struct{})
	l = startInTurn(t, stack.Config{SpeedFactor: 60, World: &world, Fault: func(m fault.Moment, r fault.Request) {
		switch {
		case !ready.Load():
		case m == fault.During && r.Kind == "POST backup" && accepted.holds(r.Detail):
			l.Tables.SetAvailable(false)
			close(gone)
		case m == fault.Before && r.Kind == "abandon start-operation":
			wentBack.Add(1)
		}
	}})
	ready.Store(true)
	ids := map[string]site{l.begin(fresh.protect()): fresh}
	for _, s := range append(sites, accepted) {
		ids[l.begin(s.backup())] = s
	}
	await(t, gone, "a backup that is accepted")
	over := time.NewTimer(outage)
	defer over.Stop()

	l.send("requests", message("while-away", overBus.backup()), message("wrong-while-away", `{"flow":"nothing"}`))
	res, body, err := l.try(http.MethodPost, "/operations", overHTTP.backup())
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
	require.NotEmpty(t, res.Header.Get("Retry-After"))
	require.Equal(t, "application/problem+json", res.Header.Get("Content-Type"))
	require.Contains(t, string(body), "urn:azbackupflow:problem:unavailable")
	// The outage itself is tested, so the test has to wait for its end.
	await(t, over.C, "the end of the outage")
	l.Tables.SetAvailable(true)

	ids[l.begin(overHTTP.backup())] = overHTTP
	ids[operation.ID("local", "backup-now", "backup-"+overBus.account.Name)] = overBus
	for id, s := range ids {
		l.backedUpOnce(s, id)
	}
	rejected := l.rejectedRequestOf("wrong-while-away")
	require.Equal(t, "parameters", rejected.Fields[0].Field)
	// The request is recorded before it is copied.
	require.Equal(t, rejected.Fields, l.rejected(rejected).Fields)
	l.requireNothingLeft("requests")
	require.Zero(t, wentBack.Load(), "requests that went back to the queue")
	for _, q := range l.Broker.Queues() {
		require.Zero(t, q.DeadLettered, q.Name)
	}
	require.Len(t, l.Broker.Messages("rejected"), 1)
}

// TestServiceBusOutage_LosesNoOperation breaks every connection of the bus
// repeatedly, at any point, and makes the bus unavailable for some seconds. All
// operations end, and none has an effect twice.
func TestServiceBusOutage_LosesNoOperation(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	var sites []site
	for i := range 10 {
		sites = append(sites, newSite(&world, fmt.Sprintf("drops%d", i), protected))
	}
	fresh := newSite(&world, "dropsfresh", undiscovered)
	const drops = 15
	var l *local
	var asked, dropped atomic.Int32
	var ready atomic.Bool
	enough := make(chan struct{})
	l = startInTurn(t, stack.Config{SpeedFactor: 120, World: &world, Fault: func(m fault.Moment, r fault.Request) {
		if !ready.Load() || r.Service != "bus" || m == fault.After {
			return
		}
		// The break comes before and during all kinds of requests in turn.
		if n := asked.Add(1); n%17 == 0 && dropped.Load() < drops {
			l.Broker.DropConnections()
			if dropped.Add(1) == drops {
				close(enough)
			}
		}
	}})
	ready.Store(true)
	ids := map[string]site{l.begin(fresh.protect()): fresh}
	for _, s := range sites[:len(sites)-1] {
		ids[l.begin(s.backup())] = s
	}
	await(t, enough, "connections to drop")

	l.Broker.SetAvailable(false)
	away := time.NewTimer(3 * time.Second)
	defer away.Stop()
	// A request during the outage is either rejected with a hint to retry, or
	// accepted when the bus returns. In both cases there is one operation.
	last := sites[len(sites)-1]
	res, body, err := l.try(http.MethodPost, "/operations", last.backup())
	require.NoError(t, err)
	require.Equalf(t, http.StatusServiceUnavailable, res.StatusCode, "%s", body)
	await(t, away.C, "the outage of the bus")
	l.Broker.SetAvailable(true)

	ids[l.begin(last.backup())] = last
	for id, s := range ids {
		l.backedUpOnce(s, id)
	}
	require.EqualValues(t, drops, dropped.Load())
}

// await waits for a channel.
func await[T any](t *testing.T, c <-chan T, what string) {
	t.Helper()
	limit := time.NewTimer(maxWait)
	defer limit.Stop()
	select {
	case <-c:
	case <-limit.C:
		require.Fail(t, "timed out waiting for "+what)
	}
}

// message returns a request in the wire format of the queue: an object, or text
// unchanged.
func message(id string, body any) *azservicebus.Message {
	return &azservicebus.Message{MessageID: &id, Body: encoded(body)}
}

// sendOdd sends a message with each body. Its id is the queue and the name of the
// body.
func (l *local) sendOdd(queue string, timeToLive time.Duration, bodies map[string]azservicebus.AMQPAnnotatedMessageBody) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), maxWait)
	defer cancel()
	client, err := azservicebus.NewClientFromConnectionString(l.Broker.ConnectionString(), nil)
	require.NoError(l.t, err)
	defer func() { _ = client.Close(ctx) }()
	sender, err := client.NewSender(queue, nil)
	require.NoError(l.t, err)
	for id, body := range bodies {
		require.NoError(l.t, sender.SendAMQPAnnotatedMessage(ctx, &azservicebus.AMQPAnnotatedMessage{
			Properties: &azservicebus.AMQPAnnotatedMessageProperties{MessageID: queue + "-" + id},
			Header:     &azservicebus.AMQPAnnotatedMessageHeader{TTL: timeToLive}, Body: body,
		}, nil))
	}
}

// send sends messages to a queue with Azure's own client.
func (l *local) send(queue string, messages ...*azservicebus.Message) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), maxWait)
	defer cancel()
	client, err := azservicebus.NewClientFromConnectionString(l.Broker.ConnectionString(), nil)
	require.NoError(l.t, err)
	defer func() { _ = client.Close(ctx) }()
	sender, err := client.NewSender(queue, nil)
	require.NoError(l.t, err)
	for _, m := range messages {
		require.NoError(l.t, sender.SendMessage(ctx, m, nil))
	}
}
