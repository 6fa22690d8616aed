package preflight

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/sosodev/duration"

	"azbackupflow/internal/settings"
)

// The queue properties that the engine relies on; docs/operating.md says why.
const (
	minLockDuration  = 5 * time.Minute // an invocation ends within 2 minutes
	minDeliveryCount = 5
)

const actionQueueRead = "Microsoft.ServiceBus/namespaces/queues/read"

// queue is a resource of type Microsoft.ServiceBus/namespaces/queues.
// https://learn.microsoft.com/rest/api/servicebus/controlplane-stable/queues/get
type queue struct {
	Properties queueProperties `json:"properties"`
}

type queueProperties struct {
	LockDuration                     string `json:"lockDuration"`
	MaxDeliveryCount                 int    `json:"maxDeliveryCount"`
	RequiresDuplicateDetection       bool   `json:"requiresDuplicateDetection"`
	RequiresSession                  bool   `json:"requiresSession"`
	DeadLetteringOnMessageExpiration bool   `json:"deadLetteringOnMessageExpiration"`
	EnablePartitioning               bool   `json:"enablePartitioning"`
	Status                           string `json:"status"`
}

// checkQueues reads the properties of the app's queues from ARM. The bus's own
// management API needs the right Manage, which would also allow deleting them.
func (r *run) checkQueues(ctx context.Context) {
	if r.cfg.ServiceBusID == "" {
		return
	}
	for _, name := range r.cfg.Queues {
		var q queue
		path := r.cfg.ServiceBusID + "/queues/" + name
		if err := r.cfg.ARM.Get(ctx, path, url.Values{"api-version": {"2021-11-01"}}, &q); err != nil {
			r.readFailed(checkQueue, path, actionQueueRead, err)
			continue
		}
		wrong := q.Properties.deviations(name)
		for _, d := range wrong {
			r.fail(Finding{
				Check: checkQueue, Subject: path, Problem: fmt.Sprintf("%s is %v, want %v", d.property, d.is, d.want),
				Missing: []string{d.property},
				Do: "Change the property. Duplicate detection, sessions and partitioning need a new queue: " +
					"wait until the old queue is empty, then replace it.",
			})
		}
		if len(wrong) == 0 {
			r.pass(checkQueue, path)
		}
	}
}

// deviation is a property with a wrong value.
type deviation struct {
	property string
	is, want any
}

// deviations returns the properties that the engine cannot work with.
func (p queueProperties) deviations(name string) []deviation {
	lock, err := duration.Parse(p.LockDuration)
	var all []deviation
	add := func(ok bool, property string, is, want any) {
		if !ok {
			all = append(all, deviation{property, is, want})
		}
	}
	add(err == nil && lock.ToTimeDuration() >= minLockDuration, "lockDuration", p.LockDuration, "PT5M")
	add(p.MaxDeliveryCount >= minDeliveryCount, "maxDeliveryCount", p.MaxDeliveryCount, 10)
	add(p.RequiresDuplicateDetection, "requiresDuplicateDetection", p.RequiresDuplicateDetection, true)
	add(!p.RequiresSession, "requiresSession", p.RequiresSession, false)
	// Messages in the queue rejected are copies of stored records, so they may
	// expire.
	add(p.DeadLetteringOnMessageExpiration || name == settings.RejectedQueue,
		"deadLetteringOnMessageExpiration", p.DeadLetteringOnMessageExpiration, true)
	add(!p.EnablePartitioning, "enablePartitioning", p.EnablePartitioning, false)
	add(p.Status == "Active", "status", p.Status, "Active")
	return all
}
