package intake

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/request"
)

// replayOf returns the replay of a recorded request by a caller who may start
// everything.
func replayOf(r rejected.Request) Replay {
	return Replay{
		Request:       r,
		Authorize:     func(request.Request) error { return nil },
		AuthorizeBulk: func(request.Bulk) error { return nil },
		Prepare:       func(request.Request) (operation.Operation, error) { return operation.Operation{}, nil },
	}
}

const (
	replayedRequest = `{"flow":"backup-now","key":"k","parameters":{}}`
	replayedBulk    = `{"key":"k","template":{"flow":"backup-now","parameters":{}},"targets":[{"a":1}]}`
)

func recorded(body string) rejected.Request {
	return rejected.Request{Source: rejected.Requests, MessageID: "m1", Body: body, BodySize: len(body)}
}

// A record that lost a secret is incomplete. Its caller has to send it.
func TestReplay_NeedsTheSecretsOfARequest(t *testing.T) {
	t.Parallel()
	record := recorded(replayedRequest)
	body, err := replayOf(record).Body(t.Context())
	require.NoError(t, err)
	require.JSONEq(t, replayedRequest, string(body))

	record.Redacted = true
	_, err = replayOf(record).Body(t.Context())
	require.ErrorContains(t, err, "is recorded without its secrets")

	edited := replayOf(record)
	edited.Edited = []byte(replayedRequest)
	_, err = edited.Body(t.Context())
	require.NoError(t, err)
}

// A replay starts only what its caller may start.
func TestReplay_NeedsThePermissionOfItsFlow(t *testing.T) {
	t.Parallel()
	denied := errors.New("may not start it")
	for _, body := range []string{replayedRequest, replayedBulk} {
		r := replayOf(recorded(body))
		_, err := r.Body(t.Context())
		require.NoError(t, err, body)
		r.Authorize = func(req request.Request) error {
			require.Equal(t, "backup-now", req.Flow)
			return denied
		}
		r.AuthorizeBulk = func(b request.Bulk) error {
			require.Equal(t, "backup-now", b.Template.Flow)
			return denied
		}
		_, err = r.Body(t.Context())
		require.ErrorIs(t, err, denied, body)
	}
}

// The message of a replay carries its own ID next to that of the first message.
func TestReplay_CarriesItsOwnID(t *testing.T) {
	t.Parallel()
	properties, err := replayOf(recorded(replayedRequest)).Properties(t.Context(), newDoor(t).cfg.Sealer, "m2", []byte(replayedRequest), operation.Cause{})
	require.NoError(t, err)
	require.Equal(t, "m1", properties[propertyMessageID])
	require.Equal(t, "m2", properties[propertyReplayID])
}

// A bulk whose targets are all invalid costs no more than the first of them.
func TestBulk_ValidatesTheFirstTargetsOnly(t *testing.T) {
	t.Parallel()
	b := request.Bulk{Key: "k", Template: request.Template{Flow: "backup-now", Parameters: json.RawMessage(`{}`)}}
	for i := range MaxInvalidTargets + 100 {
		b.Targets = append(b.Targets, json.RawMessage(fmt.Sprintf(`{"a":%d}`, i)))
	}
	require.NoError(t, b.Check())
	prepared := 0
	err := CheckBulk(t.Context(), b, func(request.Request) (operation.Operation, error) {
		prepared++
		return operation.Operation{}, invalid("a", "is wrong", "another value")
	}, FirstValid)
	require.ErrorContains(t, err, "among the first 500")
	require.Equal(t, MaxInvalidTargets, prepared)
}
