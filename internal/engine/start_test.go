package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/step"
)

func TestStart_CreatesTheOperation(t *testing.T) {
	t.Parallel()
	r := newRig(t, demo, versionTwo)
	request := demoRequest()
	request.Parameters = []byte(` { "share" : "s1" } `)
	request.Deadline = "PT6H"
	request.Labels = map[string]string{"team": "a"}
	op, created, err := r.engine.Start(r.ctx(), request, engine.Origin{TraceParent: "trace-1", ReplyTo: "answers", MessageID: "message-1"})
	require.NoError(t, err)
	require.True(t, created)
	require.Equal(t, operation.Operation{
		Identity: operation.Identity{
			ID: operation.ID("contoso", "demo", "nightly"), Tenant: "contoso", Key: "nightly",
			Flow: "demo", Version: 2,
			Parameters: []byte(`{"share":"s1"}`), RequestHash: op.RequestHash, Labels: map[string]string{"team": "a"},
			TraceParent: "trace-1", RequestID: "message-1",
			CreatedAt: morning(),
		},
		Progress: operation.Progress{
			Status: operation.Pending, Step: "two", Seq: 1,
			WriteID: op.WriteID, DueAt: morning(), Deadline: morning().Add(6 * time.Hour),
			UpdatedAt: morning(), StepStartedAt: morning(),
		},
		AzureState: operation.AzureState{OnlyRead: true},
		Outbox: operation.Outbox{
			ReplyTo:        "answers",
			PendingNotices: []operation.Notice{{Kind: operation.NoticeStarted, To: "answers", Seq: 1, At: r.clock.Now(), Status: operation.Pending, Step: "two"}},
		},
	}, op)
	require.Equal(t, op, r.operation(op.ID))
	require.Equal(t, []engine.Message{{
		ID: op.ID + ":1", Due: morning(), Wakeup: operation.Wakeup{OperationID: op.ID, Seq: 1, TraceParent: "trace-1"},
	}}, r.queue.Waiting())
}

func TestStart_RepeatedRequestReturnsTheOperation(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	r.step()
	now := r.operation(id)
	sent := len(r.bus.sent)
	again := demoRequest()
	again.Parameters = []byte(`{ "share": "s1" }`)
	op, created, err := r.engine.Start(r.ctx(), again, engine.Origin{})
	require.NoError(t, err)
	require.False(t, created)
	require.Equal(t, now, op, "the repeat returns the operation's progress")
	require.Len(t, r.bus.sent, sent)
	r.finish()

	op, created, err = r.engine.Start(r.ctx(), again, engine.Origin{})
	require.NoError(t, err)
	require.False(t, created)
	require.Equal(t, operation.Succeeded, op.Status)
	require.Empty(t, r.queue.Waiting())
}

func TestStart_RepeatSendsTheFirstMessageAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.bus.on("send", diesBefore())
	require.ErrorIs(t, survive(func() error { return errOf(r.engine.Start(r.ctx(), demoRequest(), engine.Origin{})) }), errDied)
	require.Empty(t, r.queue.Waiting())

	op, created, err := r.engine.Start(r.ctx(), demoRequest(), engine.Origin{})
	require.NoError(t, err)
	require.False(t, created)
	require.Len(t, r.queue.Waiting(), 1)
	require.Equal(t, op.ID+":1", r.queue.Waiting()[0].ID)
	r.finish()
	r.requireSucceeded(op.ID)
}

func TestStart_MayBeRepeatedAfterAnyFailure(t *testing.T) {
	t.Parallel()
	type plan struct {
		store, bus fault
	}
	for name, p := range map[string]plan{
		"storage was unavailable":                {store: unavailable()},
		"created, and no answer":                 {store: lost()},
		"created, and the queue was unavailable": {bus: unavailable()},
		"created and sent, and no answer":        {bus: lost()},
		"died before the row":                    {store: diesBefore()},
		"died between row and first message":     {store: diesAfter()},
		"died after the first message":           {bus: diesAfter()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.store.on("create", p.store)
			r.bus.on("send", p.bus)
			start := func() error { return errOf(r.engine.Start(r.ctx(), demoRequest(), engine.Origin{})) }
			require.Error(t, survive(start))
			require.NoError(t, survive(start))
			r.finish()
			r.requireSucceeded(operation.ID("contoso", "demo", "nightly"))
		})
	}
}

func TestStart_SweepFindsOperationOfADeadProcess(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.bus.on("send", diesBefore())
	require.ErrorIs(t, survive(func() error { return errOf(r.engine.Start(r.ctx(), demoRequest(), engine.Origin{})) }), errDied)
	r.operate(30 * time.Minute)
	r.requireSucceeded(operation.ID("contoso", "demo", "nightly"))
}

func TestStart_OtherParametersUnderTheKeyConflict(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	other := demoRequest()
	other.Parameters = []byte(`{"share":"s2"}`)
	op, created, err := r.engine.Start(r.ctx(), other, engine.Origin{})
	require.False(t, created)
	var conflict *engine.KeyConflict
	require.ErrorAs(t, err, &conflict)
	require.Equal(t, engine.KeyConflict{ID: id, Flow: "demo", Key: "nightly", Status: operation.Pending}, *conflict)
	require.ErrorContains(t, err, "another key, or the same parameters")
	require.JSONEq(t, `{"share":"s1"}`, string(op.Parameters), "the operation with the key is returned")
	require.Len(t, r.queue.Waiting(), 1)
}

func TestStart_RequestsWithoutKeyAreSeparateOperations(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	without := demoRequest()
	without.Key = ""
	one, created, err := r.engine.Start(r.ctx(), without, engine.Origin{})
	require.NoError(t, err)
	require.True(t, created)
	two, created, err := r.engine.Start(r.ctx(), without, engine.Origin{})
	require.NoError(t, err)
	require.True(t, created)
	require.NotEqual(t, one.ID, two.ID)
	require.NotEmpty(t, one.Key)
}

func TestStart_RejectsInvalidRequestWithoutATrace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*request.Request)
		want   step.FieldError
	}{
		"a flow that does not exist": {
			func(r *request.Request) { r.Flow = "dmeo" },
			step.FieldError{Field: "flow", Problem: `"dmeo" is not a flow`, Want: "one of demo"},
		},
		"a parameter that is missing": {
			func(r *request.Request) { r.Parameters = []byte(`{}`) },
			step.FieldError{Field: "parameters.share", Problem: "is missing", Want: "a file share"},
		},
		"a parameter that does not exist": {
			func(r *request.Request) { r.Parameters = []byte(`{"shaer":"s1"}`) },
			step.FieldError{Field: "parameters.shaer", Problem: "is an unknown field", Want: "one of share"},
		},
		"a deadline out of range": {
			func(r *request.Request) { r.Deadline = "PT1S" },
			step.FieldError{Field: "deadline", Problem: `"PT1S" is out of range`, Want: "a duration from 1m to 30d, such as 6h, 7d or PT6H"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			asked := demoRequest()
			c.change(&asked)
			_, created, err := r.engine.Start(r.ctx(), asked, engine.Origin{})
			require.False(t, created)
			var invalid *step.Invalid
			require.ErrorAs(t, err, &invalid)
			require.Equal(t, []step.FieldError{c.want}, invalid.Fields)
			require.Empty(t, r.queue.Waiting())
			require.Empty(t, r.live())
			require.Zero(t, r.store.calls("create"))
		})
	}
}

func TestPrepare_StartsNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	op, err := r.engine.Prepare(demoRequest())
	require.NoError(t, err)
	require.Equal(t, "find", op.Step)
	require.Zero(t, r.store.calls("create"))
	require.Empty(t, r.queue.Waiting())
	require.Equal(t, op.ID, r.start(), "Start creates the same operation")
}

func errOf(_ operation.Operation, _ bool, err error) error { return err }
