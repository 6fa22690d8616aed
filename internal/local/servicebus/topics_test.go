package servicebus

import (
	"fmt"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/servicebus/filter"
	"azbackupflow/internal/local/servicebus/wire"
)

func notices(subscriptions ...SubscriptionConfig) Config {
	return Config{Topics: []TopicConfig{{Name: "notices", Subscriptions: subscriptions}}}
}

func newSubscriptionReceiver(t *testing.T, client *azservicebus.Client, subscription string) *azservicebus.Receiver {
	t.Helper()
	receiver, err := client.NewReceiverForSubscription("notices", subscription, nil)
	require.NoError(t, err)
	return receiver
}

func TestTopic_DeliversToEverySubscriptionWhoseRulesMatch(t *testing.T) {
	t.Parallel()
	b := startBroker(t, notices(
		SubscriptionConfig{Name: "all"},
		SubscriptionConfig{Name: "failed", Rules: []RuleConfig{{Name: "failed", SQL: "status = 'Failed' AND sys.Subject LIKE 'op%'"}}},
		SubscriptionConfig{Name: "restores", Rules: []RuleConfig{
			{Name: "flow", Correlation: filter.Correlation{Properties: map[string]any{"flow": "restore"}}},
			{Name: "also", SQL: "EXISTS(restoreOf)"},
		}},
	))
	client := connect(t, b)
	sender := newSender(t, client, "Notices")
	for id, properties := range map[string]map[string]any{
		"1": {"status": "Failed", "flow": "restore", "restoreOf": "x"},
		"2": {"status": "Succeeded", "flow": "protect"},
	} {
		m := message(id)
		m.Subject = number("operation")
		m.ApplicationProperties = properties
		require.NoError(t, sender.SendMessage(within(t), m, nil))
	}
	require.Equal(t, []QueueStats{
		{Name: "notices/Subscriptions/all", Active: 2},
		{Name: "notices/Subscriptions/failed", Active: 1},
		{Name: "notices/Subscriptions/restores", Active: 1},
	}, b.Subscriptions(), "a message that matches two rules is delivered once")
	require.Empty(t, b.Queues())
	require.Empty(t, b.Messages("notices"))

	receiver := newSubscriptionReceiver(t, client, "failed")
	got := receive(t, receiver)
	require.Equal(t, "1", got.MessageID)
	require.Equal(t, "Failed", got.ApplicationProperties["status"])
	require.NoError(t, receiver.DeadLetterMessage(within(t), got, nil))
	require.Len(t, b.Messages("notices/Subscriptions/failed/$DeadLetterQueue"), 1)
	require.Len(t, b.Messages("notices/subscriptions/all"), 2, "subscriptions are independent")
}

func TestTopic_DropsDuplicatesAndSchedules(t *testing.T) {
	t.Parallel()
	clock := newManualClock()
	b := startBroker(t, Config{Clock: clock, Topics: []TopicConfig{{
		Name: "notices", DuplicateDetectionWindow: time.Hour, Subscriptions: []SubscriptionConfig{{Name: "all"}},
	}}})
	client := connect(t, b)
	sender := newSender(t, client, "notices")
	send(t, sender, "a", "a")
	numbers, err := sender.ScheduleMessages(within(t), []*azservicebus.Message{message("b"), message("c")}, clock.Now().Add(time.Minute), nil)
	require.NoError(t, err)
	require.NoError(t, sender.CancelScheduledMessages(within(t), numbers[1:], nil))
	require.Equal(t, 1, b.Subscriptions()[0].Active)
	require.Equal(t, "scheduled", b.Messages("notices")[0].State)
	clock.advance(time.Minute)
	require.Equal(t, 2, b.Subscriptions()[0].Active)
	require.Empty(t, b.Messages("notices"))
}

func TestTopic_ExpiryUsesTheShortestTimeToLive(t *testing.T) {
	t.Parallel()
	clock := newManualClock()
	b := startBroker(t, Config{Clock: clock, Topics: []TopicConfig{{
		Name: "notices", DefaultTTL: 2 * time.Minute,
		Subscriptions: []SubscriptionConfig{{Name: "long"}, {Name: "short", DefaultTTL: time.Minute, DeadLetterOnExpiration: true}},
	}}})
	send(t, newSender(t, connect(t, b), "notices"), "a")
	for _, want := range [][2]int{{1, 0}, {0, 0}} {
		clock.advance(time.Minute)
		stats := b.Subscriptions()
		require.Equal(t, want, [2]int{stats[0].Active, stats[1].Active})
		require.Equal(t, 1, stats[1].DeadLettered)
	}
}

func TestTopic_WithoutSubscriptionKeepsNothing(t *testing.T) {
	t.Parallel()
	b := startBroker(t, notices())
	send(t, newSender(t, connect(t, b), "notices"), "a")
	require.Empty(t, b.Messages("notices"))
}

func TestTopic_RejectsLinksInTheWrongDirection(t *testing.T) {
	t.Parallel()
	b := startBroker(t, notices(SubscriptionConfig{Name: "all"}))
	client := connect(t, b)
	_, err := newReceiver(t, client, "notices").ReceiveMessages(within(t), 1, nil)
	require.ErrorContains(t, err, "Receive from a subscription")
	err = newSender(t, client, "notices/Subscriptions/all").SendMessage(within(t), message("a"), nil)
	require.ErrorContains(t, err, "Send them to its topic")
	_, err = newSubscriptionReceiver(t, client, "none").ReceiveMessages(within(t), 1, nil)
	requireCode(t, azservicebus.CodeNotFound, err)
}

func ruleRequest(name, kind string, content wire.Map) wire.Map {
	return wire.Map{
		{Key: wire.String("rule-name"), Value: wire.String(name)},
		{Key: wire.String("rule-description"), Value: wire.Map{{Key: wire.String(kind), Value: content}}},
	}
}

func expression(text string) wire.Map {
	return wire.Map{{Key: wire.String("expression"), Value: wire.String(text)}}
}

func TestRules_AreAddedListedAndRemoved(t *testing.T) {
	t.Parallel()
	b := startBroker(t, notices(SubscriptionConfig{Name: "all"}))
	c := connectRaw(t, b, "notices/Subscriptions/all")
	c.attachManagement("notices/Subscriptions/all")
	page := wire.Map{{Key: wire.String("top"), Value: wire.Int(1)}, {Key: wire.String("skip"), Value: wire.Int(1)}}
	properties := wire.Map{{Key: wire.String("properties"), Value: wire.Map{
		{Key: wire.String("n"), Value: wire.Int(7)}, {Key: wire.String("f"), Value: wire.Double(1.5)}, {Key: wire.String("b"), Value: wire.Bool(true)},
	}}}
	action := wire.Map{
		{Key: wire.String("sql-filter"), Value: expression("1=1")}, {Key: wire.String("sql-rule-action"), Value: expression("SET a = 1")},
	}
	badAction := wire.Map{
		{Key: wire.String("sql-filter"), Value: expression("1=1")}, {Key: wire.String("sql-rule-action"), Value: expression("SET sys.SequenceNumber = @n")},
	}
	for i, x := range []struct {
		operation string
		body      wire.Map
		status    wire.Int
	}{
		{"add-rule", ruleRequest("red", "sql-filter", expression("color = 'red'")), 200},
		{"add-rule", ruleRequest("RED", "sql-filter", expression("1=1")), 409},
		{"add-rule", ruleRequest("bad", "sql-filter", expression("color =")), 400},
		{"add-rule", ruleRequest("bad", "other-filter", wire.Map{}), 400},
		{"add-rule", wire.Map{}, 400},
		{"add-rule", wire.Map{{Key: wire.String("rule-name"), Value: wire.String("changing")}, {Key: wire.String("rule-description"), Value: action}}, 200},
		{"remove-rule", wire.Map{{Key: wire.String("rule-name"), Value: wire.String("changing")}}, 200},
		{"add-rule", wire.Map{{Key: wire.String("rule-name"), Value: wire.String("x")}, {Key: wire.String("rule-description"), Value: badAction}}, 400},
		{"add-rule", ruleRequest("numbers", "correlation-filter", properties), 200},
		{"enumerate-rules", page, 200},
		{"enumerate-rules", wire.Map{}, 400},
		{"remove-rule", wire.Map{{Key: wire.String("rule-name"), Value: wire.String("$default")}}, 200},
		{"remove-rule", wire.Map{{Key: wire.String("rule-name"), Value: wire.String("$Default")}}, 404},
		{"remove-rule", wire.Map{}, 400},
	} {
		reply := c.ask(uint32(i), "com.microsoft:"+x.operation, x.body)
		require.Equal(t, x.status, reply.ApplicationProperties.Get("status-code"), "%s %v", x.operation, x.body)
		if x.operation == "enumerate-rules" && x.status == 200 {
			body, err := reply.Value()
			require.NoError(t, err)
			require.Contains(t, fmt.Sprint(body), "color = 'red'", "the second rule")
			require.NotContains(t, fmt.Sprint(body), "1=1")
		}
	}
	sender := newSender(t, connect(t, b), "notices")
	for id, properties := range map[string]map[string]any{
		"red": {"color": "red"}, "blue": {"color": "blue"}, "numbers": {"n": int32(7), "f": 1.5, "b": true}, "other": {"n": 8, "f": 1.5, "b": true},
	} {
		m := message(id)
		m.ApplicationProperties = properties
		require.NoError(t, sender.SendMessage(within(t), m, nil))
	}
	var ids []string
	for _, m := range b.Messages("notices/Subscriptions/all") {
		ids = append(ids, m.MessageID)
	}
	require.ElementsMatch(t, []string{"red", "numbers"}, ids)
}

func TestRules_OfAQueueAreRejected(t *testing.T) {
	t.Parallel()
	c := connectRaw(t, startBroker(t, Config{}), "steps")
	c.attachManagement("steps")
	reply := c.ask(0, "com.microsoft:enumerate-rules", wire.Map{})
	require.Equal(t, wire.Int(400), reply.ApplicationProperties.Get("status-code"))
	require.Contains(t, fmt.Sprint(reply.ApplicationProperties.Get("status-description")), "is not a subscription")
}

func TestNew_RejectsInvalidTopics(t *testing.T) {
	t.Parallel()
	for problem, subscriptions := range map[string][]SubscriptionConfig{
		"without a name":     {{}},
		"must not contain /": {{Name: "a/b"}},
		"configured twice":   {{Name: "a"}, {Name: "A"}},
		"unexpected end":     {{Name: "a", Rules: []RuleConfig{{Name: "r", SQL: "x ="}}}},
		"rule without":       {{Name: "a", Rules: []RuleConfig{{SQL: "1=1"}}}},
		"already exists":     {{Name: "a", Rules: []RuleConfig{{Name: "r", SQL: "1=1"}, {Name: "R", SQL: "1=1"}}}},
	} {
		_, err := New(notices(subscriptions...))
		require.ErrorContains(t, err, problem)
	}
	_, err := New(Config{Queues: []QueueConfig{{Name: "notices"}}, Topics: []TopicConfig{{Name: "Notices"}}})
	require.ErrorContains(t, err, "configured twice")
	_, err = New(Config{Topics: []TopicConfig{{Name: "a/Subscriptions/b"}}})
	require.ErrorContains(t, err, "/subscriptions/")
}
