package queue

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/stretchr/testify/require"
)

// undecodable is the ID of a message on which the client panics, as it does if the
// application property DeadLetterReason is not text.
const undecodable = "undecodable"

// lockingReader hands each message out once, and locks it first, as Service Bus
// does.
type lockingReader struct {
	ids    []string
	locked int
}

func (r *lockingReader) decode(ids []string) ([]*azservicebus.ReceivedMessage, error) {
	var batch []*azservicebus.ReceivedMessage
	for _, id := range ids {
		if id == undecodable {
			var reason any = int64(7)
			_ = reason.(string) //nolint:errcheck // panics, as the client does
		}
		batch = append(batch, &azservicebus.ReceivedMessage{MessageID: id})
	}
	return batch, nil
}

func (r *lockingReader) PeekMessages(_ context.Context, limit int, _ *azservicebus.PeekMessagesOptions) ([]*azservicebus.ReceivedMessage, error) {
	return r.decode(r.ids[:min(limit, len(r.ids))])
}

func (r *lockingReader) ReceiveMessages(_ context.Context, limit int, _ *azservicebus.ReceiveMessagesOptions) ([]*azservicebus.ReceivedMessage, error) {
	if r.locked == len(r.ids) {
		return nil, context.DeadlineExceeded
	}
	first := r.locked
	r.locked = min(first+limit, len(r.ids))
	return r.decode(r.ids[first:r.locked])
}

func TestDeadLetters_SkipMessagesThatTheClientCannotDecode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ids, received []string
		limit         int
		skipped       bool
	}{
		"none":                        {ids: []string{"a", "b"}, received: []string{"a", "b"}, limit: 10},
		"an empty queue":              {limit: 10},
		"one among the first":         {ids: []string{"a", undecodable, "b"}, received: []string{"a", "b"}, limit: 10, skipped: true},
		"the only one":                {ids: []string{undecodable}, limit: 10, skipped: true},
		"more of them than others":    {ids: []string{undecodable, undecodable, "a", undecodable}, received: []string{"a"}, limit: 10, skipped: true},
		"one behind the peeked ones":  {ids: []string{"a", "b", undecodable}, received: []string{"a", "b"}, limit: 2},
		"one at the end of the limit": {ids: []string{"a", undecodable, "b", "c"}, received: []string{"a"}, limit: 2, skipped: true},
	} {
		r := &lockingReader{ids: c.ids}
		batch, err := receiveSome(t.Context(), r, c.limit)
		var ids []string
		for _, m := range batch {
			ids = append(ids, m.MessageID)
		}
		require.Equal(t, c.received, ids, name)
		require.Equal(t, c.skipped, errors.Is(err, errUndecodable), name)
		if c.skipped {
			require.ErrorContains(t, err, "delete it with Service Bus Explorer", name)
		}
	}
}

// lockedReader has one message, which another receiver has locked.
type lockedReader struct{ lockingReader }

func (*lockedReader) ReceiveMessages(ctx context.Context, _ int, _ *azservicebus.ReceiveMessagesOptions) ([]*azservicebus.ReceivedMessage, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestDeadLetters_ReceivesNoneIfAllAreLocked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		batch, err := receiveSome(t.Context(), &lockedReader{lockingReader{ids: []string{"a"}}}, 10)
		require.NoError(t, err)
		require.Empty(t, batch)
		require.Equal(t, maxReceiveWait, time.Since(began))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = receiveSome(ctx, &lockedReader{lockingReader{ids: []string{"a"}}}, 10)
		require.ErrorIs(t, err, context.DeadlineExceeded, "the invocation's time is up")
	})
}
