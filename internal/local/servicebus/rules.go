package servicebus

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/local/servicebus/filter"
	"azbackupflow/internal/local/servicebus/store"
	"azbackupflow/internal/local/servicebus/wire"
)

// defaultRule is the rule of a subscription that is created without rules.
const defaultRule = "$Default"

// maxRules is the documented limit of SQL filters for a topic. It bounds the work for
// one message.
const maxRules = 2000

var (
	errRuleExists   = errors.New("rule already exists")
	errRuleNotFound = errors.New("rule not found")
)

// rule selects messages for a subscription, and may change them.
type rule struct {
	name   string
	filter filter.Filter
	// action is nil if the rule changes nothing.
	action *filter.Action
}

// rules are the rules of a subscription. They are guarded by the lock of its entity.
type rules struct{ list []rule }

func newRules(configs []RuleConfig) (*rules, error) {
	if len(configs) == 0 {
		configs = []RuleConfig{{Name: defaultRule, SQL: "1=1"}}
	}
	r := &rules{}
	for _, c := range configs {
		x, err := c.rule()
		if err != nil {
			return nil, fmt.Errorf("rule %q: %w", c.Name, err)
		}
		if err := r.add(x); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (c RuleConfig) rule() (x rule, err error) {
	x = rule{name: c.Name}
	if c.SQL != "" {
		x.filter, err = filter.Parse(c.SQL, c.Parameters)
	} else {
		x.filter, err = typed(c.Correlation)
	}
	if err == nil && c.Action != "" {
		x.action, err = actionOf(c.Action, c.Parameters)
	}
	return x, err
}

// typed returns the filter with its values in the types of messages: an int
// would be equal to no property.
func typed(c filter.Correlation) (filter.Correlation, error) {
	properties := map[string]any{}
	for name, value := range c.Properties {
		v, err := filter.ValueOf(value)
		if err != nil {
			return c, fmt.Errorf("property %q of the correlation filter: %w", name, err)
		}
		properties[name] = v
	}
	c.Properties = properties
	return c, nil
}

func actionOf(expression string, parameters map[string]any) (*filter.Action, error) {
	a, err := filter.ParseAction(expression, parameters)
	if err != nil {
		return nil, err
	}
	return &a, nil
}

func (r *rules) add(x rule) error {
	switch {
	case x.name == "":
		return errors.New("rule without a name")
	case r.index(x.name) >= 0:
		return fmt.Errorf("rule %q: %w", x.name, errRuleExists)
	case len(r.list) >= maxRules:
		return fmt.Errorf("subscription has the maximum of %d rules; remove one first", maxRules)
	}
	r.list = append(r.list, x)
	return nil
}

func (r *rules) remove(name string) error {
	i := r.index(name)
	if i < 0 {
		return fmt.Errorf("rule %q: %w", name, errRuleNotFound)
	}
	r.list = slices.Delete(r.list, i, i+1)
	return nil
}

func (r *rules) index(name string) int {
	return slices.IndexFunc(r.list, func(x rule) bool { return strings.EqualFold(x.name, name) })
}

// copies returns the copies of a message of the topic that the subscription
// receives: one if a rule without an action matches, and one for each rule with an
// action that does (Learn: "Topic filters and actions").
func (r *rules) copies(m store.Message) []*wire.Message {
	var all []*wire.Message
	plain := false
	for _, x := range r.list {
		if plain && x.action == nil {
			continue
		}
		message := filterMessage{m.Content, m}
		switch {
		case !x.filter.Match(message):
		case x.action == nil:
			plain = true
			all = append(all, m.Content)
		default:
			all = append(all, apply(m.Content, x.action.Changes(message)))
		}
	}
	return all
}

// apply returns a copy of the message with the changes of an action.
func apply(m *wire.Message, changes []filter.Change) *wire.Message {
	for _, c := range changes {
		if c.System {
			text, _ := c.Value.(string)
			m = m.WithText(systemProperty(c.Name), text)
			continue
		}
		m = m.WithoutProperty(c.Name)
		if !c.Remove {
			m = m.WithProperties(wire.Map{{Key: wire.String(c.Name), Value: wireValue(c.Value)}})
		}
	}
	return m
}

// systemProperty returns the property of the wire that a system property is.
func systemProperty(name string) wire.Property {
	switch name {
	case "contenttype":
		return wire.PropertyContentType
	case "correlationid":
		return wire.PropertyCorrelationID
	case "messageid":
		return wire.PropertyMessageID
	case "replyto":
		return wire.PropertyReplyTo
	case "replytosessionid":
		return wire.PropertyReplyToGroupID
	case "sessionid":
		return wire.PropertyGroupID
	case "to":
		return wire.PropertyTo
	}
	return wire.PropertySubject // label and subject
}

// filterMessage presents a message of a topic to filters.
type filterMessage struct {
	*wire.Message
	stored store.Message
}

// System returns a system property, or nil if it is absent.
func (m filterMessage) System(name string) any {
	switch name {
	case "sequencenumber", "enqueuedsequencenumber":
		return m.stored.SequenceNumber
	case "enqueuedtimeutc":
		return m.stored.EnqueuedAt.UTC()
	case "expiresatutc":
		if m.stored.TimeToLive == 0 {
			return nil
		}
		return m.stored.EnqueuedAt.Add(m.stored.TimeToLive).UTC()
	}
	if text := m.systemText(name); text != "" {
		return text
	}
	return nil
}

func (m filterMessage) systemText(name string) string {
	switch name {
	case "contenttype":
		return m.ContentType()
	case "correlationid":
		return m.CorrelationID()
	case "label", "subject":
		return m.Subject()
	case "messageid":
		return m.MessageID()
	case "replyto":
		return m.ReplyTo()
	case "replytosessionid":
		return m.ReplyToGroupID()
	case "sessionid":
		return m.GroupID()
	case "to":
		return m.To()
	}
	return ""
}

// User returns an application property.
func (m filterMessage) User(name string) any {
	return filterValue(m.ApplicationProperties.GetFold(name))
}

// wireValue converts a value of a filter to that of a message.
func wireValue(v any) wire.Value {
	switch v := v.(type) {
	case bool:
		return wire.Bool(v)
	case int64:
		return wire.Long(v)
	case float64:
		return wire.Double(v)
	case string:
		return wire.String(v)
	case time.Time:
		return wire.Timestamp(v.UnixMilli())
	}
	return wire.Null{}
}

// filterValue converts a value to the types that filters compare. Other types, such
// as lists, become nil. Identifiers become text.
func filterValue(v wire.Value) any {
	if n, isInteger := wire.Integer(v); isInteger {
		return n
	}
	switch v := v.(type) {
	case wire.Bool:
		return bool(v)
	case wire.String:
		return string(v)
	case wire.Symbol:
		return string(v)
	case wire.Float:
		return float64(v)
	case wire.Double:
		return float64(v)
	case wire.UUID:
		return v.String()
	case wire.Timestamp:
		return time.UnixMilli(int64(v)).UTC()
	}
	return nil
}
