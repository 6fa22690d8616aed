package main

import (
	"fmt"
	"strings"
)

// checkQueues reports queues that the code or a binding uses although no template
// deploys them, and queues that are deployed although the code does not use them.
func checkQueues(all map[string]*template, c *code) []Finding {
	var found []Finding
	deployed := map[string]place{}
	where := place{"infra/main.bicep", 1}
	for _, name := range sorted(all) {
		t := all[name]
		for _, r := range t.resources {
			if strings.EqualFold(strings.Split(r.id, "@")[0], "Microsoft.ServiceBus/namespaces/queues") {
				where = place{name, r.line}
				for _, q := range queueNames(t, r) {
					deployed[q.text] = place{name, q.line}
				}
			}
		}
	}
	for _, from := range []map[string]place{c.queues, c.bound} {
		for _, q := range sorted(from) {
			if _, ok := deployed[q]; !ok {
				found = append(found, Finding{from[q].file, from[q].line, fmt.Sprintf("the queue %s is not deployed by %s:%d", q, where.file, where.line)})
			}
		}
	}
	for _, q := range sorted(deployed) {
		if _, ok := c.queues[q]; !ok {
			found = append(found, Finding{deployed[q].file, deployed[q].line, fmt.Sprintf("the app does not use the queue %s", q)})
		}
	}
	return found
}

// queueNames returns the name of a resource, or the names in its loop.
func queueNames(t *template, r *resource) []value {
	if name, _ := t.evaluate(r.body).get("name"); name.value.known {
		return []value{name.value}
	}
	return looped(t, r)
}
