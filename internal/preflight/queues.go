package preflight

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/sosodev/duration"

	"azbackupflow/internal/settings"
)

// What the engine relies on; docs/operating.md says why.
const (
	leastLock          = 5 * time.Minute // an invocation ends within 2
	leastDeliveryCount = 5
)

const actionQueueRead = "Microsoft.ServiceBus/namespaces/queues/read"

// queueProperties are those of Microsoft.ServiceBus/namespaces/queues.
// https://learn.microsoft.com/rest/api/servicebus/controlplane-stable/queues/get
type queueProperties struct {
	Properties struct {
		LockDuration                     string `json:"lockDuration"`
		MaxDeliveryCount                 int    `json:"maxDeliveryCount"`
		RequiresDuplicateDetection       bool   `json:"requiresDuplicateDetection"`
		RequiresSession                  bool   `json:"requiresSession"`
		DeadLetteringOnMessageExpiration bool   `json:"deadLetteringOnMessageExpiration"`
		EnablePartitioning               bool   `json:"enablePartitioning"`
		Status                           string `json:"status"`
	} `json:"properties"`
}

// queues reads the properties of the app's queues by Azure Resource Manager: the
// bus's own management API asks for the right Manage, which could also delete
// them.
func (r *run) queues(ctx context.Context) {
	if r.cfg.ServiceBusID == "" {
		return
	}
	for _, name := range r.cfg.Queues {
		var q queueProperties
		path := r.cfg.ServiceBusID + "/queues/" + name
		if err := r.cfg.ARM.Get(ctx, path, url.Values{"api-version": {"2021-11-01"}}, &q); err != nil {
			r.refused(checkQueue, path, actionQueueRead, err)
			continue
		}
		p, before := q.Properties, len(r.findings)
		want := func(ok bool, property string, is, want any) {
			if !ok {
				r.bad(Finding{
					Check: checkQueue, Subject: path, Problem: fmt.Sprintf("%s is %v, want %v", property, is, want),
					Missing: []string{property}, Do: "Change it. Duplicate detection, sessions and partitioning need a new queue: let the old one run empty first.",
				})
			}
		}
		lock, err := duration.Parse(p.LockDuration)
		want(err == nil && lock.ToTimeDuration() >= leastLock, "lockDuration", p.LockDuration, "PT5M")
		want(p.MaxDeliveryCount >= leastDeliveryCount, "maxDeliveryCount", p.MaxDeliveryCount, 10)
		want(p.RequiresDuplicateDetection, "requiresDuplicateDetection", p.RequiresDuplicateDetection, true)
		want(!p.RequiresSession, "requiresSession", p.RequiresSession, false)
		// What expires in `rejected` is a copy that nobody takes up again.
		want(p.DeadLetteringOnMessageExpiration || name == settings.RejectedQueue, "deadLetteringOnMessageExpiration", p.DeadLetteringOnMessageExpiration, true)
		want(!p.EnablePartitioning, "enablePartitioning", p.EnablePartitioning, false)
		want(p.Status == "Active", "status", p.Status, "Active")
		if len(r.findings) == before {
			r.good(checkQueue, path)
		}
	}
}
