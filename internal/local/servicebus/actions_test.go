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

// received returns the messages of a subscription.
func received(t *testing.T, b *Broker, subscription string, n int) []*azservicebus.ReceivedMessage {
	t.Helper()
	receiver := newSubscriptionReceiver(t, connect(t, b), subscription)
	var all []*azservicebus.ReceivedMessage
	for range n {
		m := receive(t, receiver)
		require.NoError(t, receiver.CompleteMessage(within(t), m, nil))
		all = append(all, m)
	}
	for _, s := range b.Subscriptions() {
		if s.Name == "notices/Subscriptions/"+subscription {
			require.Zero(t, s.Active, "no more copies")
		}
	}
	return all
}

func TestAction_ChangesTheCopyOfItsSubscription(t *testing.T) {
	t.Parallel()
	b := startBroker(t, notices(
		SubscriptionConfig{Name: "plain"},
		SubscriptionConfig{Name: "changed", Rules: []RuleConfig{{
			Name: "r", SQL: "status = 'Failed'", Parameters: map[string]any{"@urgency": 2, "until": time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)},
			Action: "SET priority = @urgency + 1; SET sys.Label = status + '!'; REMOVE Status; SET again = priority * 2, SET sys.To = NULL; set until = @until; SET none = absent;",
		}}},
	))
	sender := newSender(t, connect(t, b), "notices")
	m := message("1")
	m.Subject, m.To = number("operation"), number("somebody")
	m.ApplicationProperties = map[string]any{"status": "Failed", "flow": "restore", "Priority": "low"}
	require.NoError(t, sender.SendMessage(within(t), m, nil))

	changed := received(t, b, "changed", 1)[0]
	require.Equal(t, "1", changed.MessageID)
	require.Equal(t, "Failed!", *changed.Subject)
	require.Nil(t, changed.To)
	until, _ := changed.ApplicationProperties["until"].(time.Time)
	require.Equal(t, time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC), until.UTC())
	delete(changed.ApplicationProperties, "until")
	require.Equal(t, map[string]any{"flow": "restore", "priority": int64(3), "again": int64(6), "none": nil}, changed.ApplicationProperties)
	require.Equal(t, "body of 1", string(changed.Body))
	plain := received(t, b, "plain", 1)[0]
	require.Equal(t, "operation", *plain.Subject)
	require.Equal(t, map[string]any{"status": "Failed", "flow": "restore", "Priority": "low"}, plain.ApplicationProperties)
}

// Rules without an action make one copy together, each rule with an action makes
// one of its own.
func TestAction_EachRuleMakesACopy(t *testing.T) {
	t.Parallel()
	b := startBroker(t, notices(SubscriptionConfig{Name: "all", Rules: []RuleConfig{
		{Name: "a", SQL: "1=1", Action: "SET by = 'a'"}, {Name: "plain", SQL: "1=1"}, {Name: "also plain", SQL: "TRUE"},
		{Name: "b", SQL: "color = 'red'", Action: "SET by = 'b'"}, {Name: "never", SQL: "1=0", Action: "SET by = 'c'"},
	}}))
	m := message("1")
	m.ApplicationProperties = map[string]any{"color": "red"}
	require.NoError(t, newSender(t, connect(t, b), "notices").SendMessage(within(t), m, nil))
	var by []any
	for _, m := range received(t, b, "all", 3) {
		by = append(by, m.ApplicationProperties["by"])
	}
	require.ElementsMatch(t, []any{"a", nil, "b"}, by)
}

func TestFilter_ComparesNumbersAndTimesOfTheTopic(t *testing.T) {
	t.Parallel()
	clock := newManualClock()
	at := map[string]any{"now": clock.Now(), "later": clock.Now().Add(time.Hour)}
	b := startBroker(t, Config{Clock: clock, Topics: []TopicConfig{{Name: "notices", Subscriptions: []SubscriptionConfig{
		{Name: "first", Rules: []RuleConfig{{Name: "r", SQL: "sys.SequenceNumber = 1"}}},
		{Name: "before", Rules: []RuleConfig{{Name: "r", SQL: "sys.EnqueuedTimeUtc < @later", Parameters: at}}},
		{Name: "expiring", Rules: []RuleConfig{{Name: "r", SQL: "sys.ExpiresAtUtc < @later", Parameters: at}}},
		{Name: "typed", Rules: []RuleConfig{{Name: "r", Correlation: filter.Correlation{Properties: map[string]any{
			"int": 7, "small": uint8(1), "half": float32(0.5), "at": clock.Now(), "kind": time.Duration(3),
		}}}}},
		{Name: "due", Rules: []RuleConfig{{Name: "r", SQL: "at = @now", Parameters: at}}},
	}}}})
	sender := newSender(t, connect(t, b), "notices")
	first, second := message("1"), message("2")
	first.TimeToLive = new(time.Minute)
	second.ApplicationProperties = map[string]any{"int": int32(7), "small": 1, "half": 0.5, "at": clock.Now(), "kind": 3}
	require.NoError(t, sender.SendMessage(within(t), first, nil))
	clock.advance(30 * time.Second)
	require.NoError(t, sender.SendMessage(within(t), second, nil))
	var counts []string
	for _, s := range b.Subscriptions() {
		counts = append(counts, fmt.Sprintf("%s %d", s.Name[len("notices/Subscriptions/"):], s.Active))
	}
	require.Equal(t, []string{"first 1", "before 2", "expiring 1", "typed 1", "due 1"}, counts)
}

func TestRules_DescribeTheirActions(t *testing.T) {
	t.Parallel()
	b := startBroker(t, notices(SubscriptionConfig{Name: "all", Rules: []RuleConfig{{Name: "r", SQL: "1=1", Action: "REMOVE a"}}}))
	c := connectRaw(t, b, "notices/Subscriptions/all")
	c.attachManagement("notices/Subscriptions/all")
	reply := c.ask(0, "com.microsoft:enumerate-rules", wire.Map{{Key: wire.String("top"), Value: wire.Int(10)}, {Key: wire.String("skip"), Value: wire.Int(0)}})
	body, err := reply.Value()
	require.NoError(t, err)
	require.Contains(t, fmt.Sprint(body), "REMOVE a")
}

func TestNew_NamesTheValueThatRulesCannotCompare(t *testing.T) {
	t.Parallel()
	for problem, r := range map[string]RuleConfig{
		`property "n" of the correlation filter: [] is a []int`: {Name: "r", Correlation: filter.Correlation{Properties: map[string]any{"n": []int{}}}},
		"parameter @n: <nil> is a <nil>":                        {Name: "r", SQL: "a = @n", Parameters: map[string]any{"@n": nil}},
		"parameter @m at character 4 has no value":              {Name: "r", SQL: "a = @m", Parameters: map[string]any{"n": 1}},
		"expected SET or REMOVE":                                {Name: "r", SQL: "1=1", Action: "DELETE a"},
		`"sequencenumber" cannot be changed`:                    {Name: "r", SQL: "1=1", Action: "SET sys.SequenceNumber = 1"},
	} {
		_, err := New(notices(SubscriptionConfig{Name: "a", Rules: []RuleConfig{r}}))
		require.ErrorContains(t, err, problem)
	}
}
