package servicebus

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"azbackupflow/internal/local/servicebus/filter"
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

// rule selects messages for a subscription.
type rule struct {
	name   string
	filter filter.Filter
}

// rules are the rules of a subscription. They are guarded by the lock of its entity.
type rules struct{ list []rule }

func newRules(configs []RuleConfig) (*rules, error) {
	if len(configs) == 0 {
		configs = []RuleConfig{{Name: defaultRule, SQL: "1=1"}}
	}
	r := &rules{}
	for _, c := range configs {
		f, err := c.filter()
		if err != nil {
			return nil, fmt.Errorf("rule %q: %w", c.Name, err)
		}
		if err := r.add(c.Name, f); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (c RuleConfig) filter() (filter.Filter, error) {
	if c.SQL == "" {
		return c.Correlation, nil
	}
	return filter.Parse(c.SQL)
}

func (r *rules) add(name string, f filter.Filter) error {
	switch {
	case name == "":
		return errors.New("rule without a name")
	case r.index(name) >= 0:
		return fmt.Errorf("rule %q: %w", name, errRuleExists)
	case len(r.list) >= maxRules:
		return fmt.Errorf("subscription has the maximum of %d rules; remove one first", maxRules)
	}
	r.list = append(r.list, rule{name, f})
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

// match reports whether any rule matches.
func (r *rules) match(m *wire.Message) bool {
	return slices.ContainsFunc(r.list, func(x rule) bool { return x.filter.Match(filterMessage{m}) })
}

// filterMessage presents a message to filters.
type filterMessage struct{ *wire.Message }

// System returns a system property as text, or nil if it is absent.
func (m filterMessage) System(name string) any {
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

// filterValue converts a value to the types that filters compare. Other types, such
// as lists, become nil. Identifiers become text, timestamps milliseconds.
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
		return int64(v)
	}
	return nil
}
