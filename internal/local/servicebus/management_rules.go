package servicebus

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"azbackupflow/internal/local/servicebus/filter"
	"azbackupflow/internal/local/servicebus/store"
	"azbackupflow/internal/local/servicebus/wire"
)

// The descriptors of rules in the answer to enumerate-rules (Learn, "AMQP 1.0 in
// Azure Service Bus: request-response-based operations", rule operations). The codes of
// the filters really have one zero less, in the clients too.
const (
	descriptorRule              wire.Ulong = 0x0000013700000004
	descriptorEmptyAction       wire.Ulong = 0x0000013700000005
	descriptorSQLAction         wire.Ulong = 0x0000013700000006
	descriptorSQLFilter         wire.Ulong = 0x1370000006
	descriptorCorrelationFilter wire.Ulong = 0x1370000009
)

// sqlCompatibilityLevel is the version of the SQL language that the service reports.
const sqlCompatibilityLevel wire.Int = 20

// maxListedRules bounds the answer to enumerate-rules. A client requests more with
// skip.
const maxListedRules = 100

// manageRules reads a rule operation of a subscription.
func manageRules(name string, n *node, body wire.Map) (operation, error) {
	if n.entity.rules == nil || n == n.entity.dead {
		return operation{}, badRequest(fmt.Sprintf("'%s' is not a subscription and has no rules", n.path))
	}
	switch name {
	case "add-rule":
		return addRule(n, body)
	case "remove-rule":
		return removeRule(n, body)
	}
	return listRules(n, body)
}

func addRule(n *node, body wire.Map) (operation, error) {
	name, _ := wire.Text(body.Get("rule-name"))
	description, isMap := body.Get("rule-description").(wire.Map)
	if name == "" || !isMap {
		return operation{}, badRequest("rule-name or rule-description is missing")
	}
	x := rule{name: name}
	var err error
	if x.filter, err = filterOf(description); err != nil {
		return operation{}, badRequest(err.Error())
	}
	action, _ := description.Get("sql-rule-action").(wire.Map)
	if expression, _ := wire.Text(action.Get("expression")); expression != "" {
		if x.action, err = actionOf(expression, nil); err != nil {
			return operation{}, badRequest(err.Error())
		}
	}
	return operation{apply: func() outcome {
		return changeRules(n, func(r *rules) error { return r.add(x) })
	}}, nil
}

func removeRule(n *node, body wire.Map) (operation, error) {
	name, _ := wire.Text(body.Get("rule-name"))
	if name == "" {
		return operation{}, badRequest("rule-name is missing")
	}
	return operation{apply: func() outcome {
		return changeRules(n, func(r *rules) error { return r.remove(name) })
	}}, nil
}

func changeRules(n *node, change func(r *rules) error) outcome {
	var err error
	n.do(func(time.Time, *store.Queue) { err = change(n.entity.rules) })
	if err != nil {
		return failure(err)
	}
	return success(wire.Map{})
}

// filterOf reads the filter of a rule description.
func filterOf(description wire.Map) (filter.Filter, error) {
	if sql, isMap := description.Get("sql-filter").(wire.Map); isMap {
		expression, _ := wire.Text(sql.Get("expression"))
		return filter.Parse(expression, nil)
	}
	c, isMap := description.Get("correlation-filter").(wire.Map)
	if !isMap {
		return nil, errors.New("rule-description has neither sql-filter nor correlation-filter")
	}
	text := func(key string) string {
		s, _ := wire.Text(c.Get(key))
		return s
	}
	f := filter.Correlation{
		CorrelationID: text("correlation-id"), MessageID: text("message-id"), To: text("to"), ReplyTo: text("reply-to"),
		Subject: text("label"), SessionID: text("session-id"), ReplyToSessionID: text("reply-to-session-id"),
		ContentType: text("content-type"),
	}
	properties, _ := c.Get("properties").(wire.Map)
	for _, p := range properties {
		key, _ := wire.Text(p.Key)
		value := filterValue(p.Value)
		if key == "" || value == nil {
			return nil, fmt.Errorf("property %q of the correlation filter must be text, a number, a boolean or a time", key)
		}
		if f.Properties == nil {
			f.Properties = map[string]any{}
		}
		f.Properties[key] = value
	}
	return f, nil
}

// listRules answers with the rules in the order of their creation.
func listRules(n *node, body wire.Map) (operation, error) {
	skip, _ := wire.Integer(body.Get("skip"))
	top, ok := wire.Integer(body.Get("top"))
	if !ok || top < 0 || skip < 0 {
		return operation{}, badRequest("top or skip is not a positive integer")
	}
	return operation{apply: func() outcome {
		var list wire.List
		n.do(func(time.Time, *store.Queue) {
			all := n.entity.rules.list
			all = all[min(int(min(skip, maxRules)), len(all)):]
			for _, r := range all[:min(int(min(top, maxListedRules)), len(all))] {
				list = append(list, wire.Map{{Key: wire.String("rule-description"), Value: describeRule(r)}})
			}
		})
		if len(list) == 0 {
			return outcome{status: http.StatusNoContent, text: "No rules.", body: wire.Map{}}
		}
		return success(wire.Map{{Key: wire.String("rules"), Value: list}})
	}}, nil
}

func describeRule(r rule) wire.Value {
	action := wire.Described{Descriptor: descriptorEmptyAction, Value: wire.List{}}
	if r.action != nil {
		action = wire.Described{Descriptor: descriptorSQLAction, Value: wire.List{wire.String(r.action.String()), sqlCompatibilityLevel}}
	}
	return wire.Described{Descriptor: descriptorRule, Value: wire.List{
		describeFilter(r.filter), action, wire.String(r.name),
	}}
}

func describeFilter(f filter.Filter) wire.Value {
	c, isCorrelation := f.(filter.Correlation)
	if !isCorrelation {
		sql, _ := f.(filter.SQL)
		return wire.Described{Descriptor: descriptorSQLFilter, Value: wire.List{
			wire.String(sql.String()), sqlCompatibilityLevel,
		}}
	}
	list := wire.List{}
	for _, text := range []string{
		c.CorrelationID, c.MessageID, c.To, c.ReplyTo, c.Subject, c.SessionID, c.ReplyToSessionID, c.ContentType,
	} {
		if text == "" {
			list = append(list, wire.Null{})
		} else {
			list = append(list, wire.String(text))
		}
	}
	return wire.Described{Descriptor: descriptorCorrelationFilter, Value: append(list, describeProperties(c.Properties))}
}

// describeProperties always returns a map: @azure/service-bus cannot decode null here.
func describeProperties(properties map[string]any) wire.Map {
	m := wire.Map{}
	for _, key := range slices.Sorted(maps.Keys(properties)) {
		m = append(m, wire.Pair{Key: wire.String(key), Value: wireValue(properties[key])})
	}
	return m
}
