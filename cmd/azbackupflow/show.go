package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/api"
)

// item names what an operation is about, as a person does; empty where that
// cannot be told.
func item(v api.Operation) string {
	if name := v.Learned["friendlyName"]; name != "" {
		return plain(name)
	}
	var p struct {
		FileShare json.RawMessage `json:"fileShare"`
		ItemID    string          `json:"itemId"`
	}
	if json.Unmarshal(v.Parameters, &p) != nil {
		return ""
	}
	var name string
	var share struct {
		Name string `json:"name"`
	}
	switch {
	case json.Unmarshal(p.FileShare, &name) == nil && name != "":
	case json.Unmarshal(p.FileShare, &share) == nil && share.Name != "":
		name = share.Name
	default:
		name = p.ItemID[strings.LastIndexAny(p.ItemID, "/;")+1:]
	}
	return plain(name)
}

// parameters lists the parameters that are text, resource ids by their last
// part.
func parameters(v api.Operation) [][2]string {
	var all map[string]any
	if json.Unmarshal(v.Parameters, &all) != nil {
		return nil
	}
	var facts [][2]string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if value, ok := all[name].(string); ok {
			facts = append(facts, [2]string{name, plain(value[strings.LastIndexByte(value, '/')+1:])})
		}
	}
	return facts
}

// took is how long an operation has taken, or takes so far.
func took(v api.Operation, now time.Time) time.Duration {
	if v.EndedAt.IsZero() {
		return now.Sub(v.CreatedAt)
	}
	return v.EndedAt.Sub(v.CreatedAt)
}

// labels writes labels in the order of their names.
func labels(all map[string]string) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		pairs = append(pairs, name+"="+all[name])
	}
	return plain(strings.Join(pairs, ", "))
}

// about lists what a person wants to know of an operation.
func (a *app) about(v api.Operation) [][2]string {
	now := a.now()
	var facts [][2]string
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, [2]string{name, value})
		}
	}
	at := func(t time.Time, what string) string {
		if t.IsZero() {
			return ""
		}
		return fmt.Sprintf("%s UTC (%s)", instant(t), what)
	}
	relative := func(t time.Time) string {
		if t.After(now) {
			return "in " + span(t.Sub(now))
		}
		return span(now.Sub(t)) + " ago"
	}
	add("Operation", v.ID)
	add("Flow", fmt.Sprintf("%s (version %d)", v.Flow, v.Version))
	add("Item", item(v))
	add("Status", a.paint.status(v.Status)+flags(v))
	if !v.Status.Successful() {
		add("Step", v.Step)
	}
	if !v.Status.Terminal() {
		add("Waiting for", plain(v.WaitingFor))
		add("Looks again", at(v.DueAt, relative(v.DueAt)))
		add("Deadline", at(v.Deadline, relative(v.Deadline)))
	}
	if v.Attempts > 0 {
		add("Attempts", fmt.Sprintf("%d failed in a row", v.Attempts))
	}
	add("Job", v.JobID)
	add("Key", plain(v.Key))
	add("Labels", labels(v.Labels))
	add("Started", at(v.CreatedAt, relative(v.CreatedAt)))
	add("Ended", at(v.EndedAt, "took "+span(took(v, now))))
	for _, warning := range v.Warnings {
		add("Warning", plain(warning))
	}
	if v.Error != nil {
		facts = append(facts, a.aboutError("Last error", *v.Error)...)
	}
	return facts
}

// aboutError shows an error with what to do about it, under a name.
func (a *app) aboutError(name string, e api.Error) (facts [][2]string) {
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, [2]string{name, value})
		}
	}
	add(name, a.paint.bad(plain(e.Code))+errorKind(e))
	add("", plain(e.Message))
	for _, action := range e.RecommendedAction {
		add("What to do", plain(action))
	}
	add("Correlation id", plain(e.CorrelationID))
	return facts
}

// flags says what a person has asked for meanwhile.
func flags(v api.Operation) string {
	var set []string
	if v.Paused {
		set = append(set, "paused")
	}
	if v.CancelRequested && !v.Status.Terminal() {
		set = append(set, "cancel requested")
	}
	if len(set) == 0 {
		return ""
	}
	return " (" + strings.Join(set, ", ") + ")"
}
