package engine_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// stricter is a later version of the demo flow that reads parameters as before
// and rejects all of them.
func stricter(a *azure) step.Flow {
	f := demo(a)
	check := f.Check
	f.Check = func(raw json.RawMessage) (json.RawMessage, error) {
		parameters, err := check(raw)
		if err != nil {
			return parameters, err
		}
		return parameters, &step.Invalid{Fields: []step.FieldError{{Field: "parameters.share", Problem: "is not allowed any more"}}}
	}
	return f
}

func TestStart_RepeatedRequestFindsItsOperationAlthoughNowInvalid(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.bus.on("send", diesBefore())
	require.ErrorIs(t, survive(func() error { return errOf(r.engine.Start(r.ctx(), demoRequest(), engine.Origin{})) }), errDied)
	r.deploy(stricter)
	op, created, err := r.engine.Start(r.ctx(), demoRequest(), engine.Origin{})
	require.NoError(t, err)
	require.False(t, created)
	require.Equal(t, operation.ID("contoso", "demo", "nightly"), op.ID)
	require.Len(t, r.queue.Waiting(), 1, "the first process died before the first message")

	var invalid *step.Invalid
	for name, change := range map[string]func() (key, parameters string){
		"another key":       func() (string, string) { return "weekly", `{"share":"s1"}` },
		"no key":            func() (string, string) { return "", `{"share":"s1"}` },
		"other parameters":  func() (string, string) { return "nightly", `{"share":"s2"}` },
		"unread parameters": func() (string, string) { return "nightly", `{"share":7}` },
	} {
		again := demoRequest()
		key, parameters := change()
		again.Key, again.Parameters = key, []byte(parameters)
		_, _, err := r.engine.Start(r.ctx(), again, engine.Origin{})
		require.ErrorAs(t, err, &invalid, name)
	}
}

func TestStart_KeepsAnInvalidRequestWhileStorageIsUnavailable(t *testing.T) {
	t.Parallel()
	r := newRig(t, stricter)
	r.store.on("load", unavailable())
	_, _, err := r.engine.Start(r.ctx(), demoRequest(), engine.Origin{})
	require.ErrorIs(t, err, errUnavailable)
	var invalid *step.Invalid
	require.NotErrorAs(t, err, &invalid)
}
