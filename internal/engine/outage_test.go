package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

// For an hour, one action of the program fails in every process. Afterwards all
// operations, which were at different steps, succeed, and none of them is
// parked.
func TestOutage_OfAnHourParksNothing(t *testing.T) {
	t.Parallel()
	deadly := func(string) fault { return diesBefore() }
	for name, broken := range map[string]func(r *rig) (repair func()){
		"every process dies when it loads": func(r *rig) func() {
			r.store.each = deadly
			return func() { r.store.each = nil }
		},
		"every process dies when it saves": func(r *rig) func() {
			r.store.from("save", diesBefore())
			return func() { r.store.from("save", none()) }
		},
		"every process dies after it saved": func(r *rig) func() {
			r.store.from("save", diesAfter())
			return func() { r.store.from("save", none()) }
		},
		"every process dies when it calls Azure": func(r *rig) func() {
			r.azure.outage(dies)
			return func() { r.azure.outage(nil) }
		},
		"storage is unavailable": func(r *rig) func() {
			r.store.each = func(string) fault { return unavailable() }
			return func() { r.store.each = nil }
		},
		"the queue is unavailable": func(r *rig) func() {
			r.bus.from("send", unavailable())
			return func() { r.bus.from("send", none()) }
		},
		"storage and queue are unavailable": func(r *rig) func() {
			r.store.each = func(string) fault { return unavailable() }
			r.bus.from("send", unavailable())
			return func() { r.store.each = nil; r.bus.from("send", none()) }
		},
		"no answer of storage arrives": func(r *rig) func() {
			r.store.each = func(string) fault { return lost() }
			return func() { r.store.each = nil }
		},
		"no answer of Azure arrives": func(r *rig) func() {
			r.azure.outage(unanswered(false))
			return func() { r.azure.outage(nil) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			var ids []string
			for i := range 5 {
				asked := demoRequest()
				asked.Key = fmt.Sprintf("k%d", i)
				op, _, err := r.engine.Start(r.ctx(), asked, engine.Origin{})
				require.NoError(t, err)
				ids = append(ids, op.ID)
				for range i {
					r.step()
				}
			}
			repair := broken(r)
			r.operate(time.Hour)
			for _, id := range ids {
				require.NotEqual(t, operation.Parked, r.operation(id).Status, "%v", r.history(id))
			}
			repair()
			r.operate(6 * time.Hour)
			for _, id := range ids {
				require.Equal(t, operation.Succeeded, r.operation(id).Status, "%v\n%v", r.operation(id).LastError, r.history(id))
			}
			require.Len(t, r.azure.jobs, len(ids))
			require.Empty(t, r.live())
		})
	}
}

// outage plans the same result for every call until it is set to nil.
func (a *azure) outage(every answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.every = every
}
