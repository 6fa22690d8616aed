package lro_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/operation"
)

// A container's status URL has a preview api-version, which no recording ever
// read. Its Location was read.
func TestTrack_FallsBackToTheLocation(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status    http.HandlerFunc
		keepsBoth bool
	}{
		"not found":          {status: answers(404, coded("ResourceNotFound", "m"))},
		"gone":               {status: answers(410, ``)},
		"bad request":        {status: answers(400, coded("InvalidApiVersionParameter", "m"))},
		"method not allowed": {status: answers(405, ``)},
		"too large":          {status: answers(200, `"`+strings.Repeat("x", 9<<20)+`"`)},
		"a gateway's page":   {status: answers(200, `<html>`), keepsBoth: true},
		"no status":          {status: answers(200, `{}`), keepsBoth: true},
		"not an object":      {status: answers(200, `[]`), keepsBoth: true},
		"a numeric status":   {status: answers(200, `{"status":7}`), keepsBoth: true},
	} {
		for state, result := range map[lro.State]http.HandlerFunc{
			lro.Running:   answers(202, ``, "Retry-After", "9"),
			lro.Succeeded: answers(200, `{"properties":{"jobId":"j"}}`),
			lro.Failed:    answers(200, `{"status":"Failed","error":{"code":"FileShareNotFound","message":"m"}}`),
		} {
			azure, tracking := operations(t, c.status, result)
			p, err := lro.Track(t.Context(), azure.client, tracking)
			require.NoError(t, err, name)
			require.Equal(t, state, p.State, name)
			later := tracking
			if p.NewTracking != nil {
				later = *p.NewTracking
			}
			require.Equal(t, c.keepsBoth, later.StatusURL != "", name)
			require.Equal(t, tracking.ResultURL, later.ResultURL, name)
		}
	}
}

func TestTrack_ErrorsThatPassDoNotFallBack(t *testing.T) {
	t.Parallel()
	for _, status := range []int{401, 403, 408, 409, 429, 500, 503} {
		azure, tracking := operations(t, answers(status, coded("Some", "m")), answers(204, ``))
		_, err := lro.Track(t.Context(), azure.client, tracking)
		require.Equal(t, status, asError(t, err).HTTPStatus)
		require.Len(t, azure.requests(), 1, status)
	}
}

func TestTrack_BothURLsFail(t *testing.T) {
	t.Parallel()
	bad := answers(400, coded("InvalidApiVersionParameter", "the status"))
	for name, c := range map[string]struct {
		status, result http.HandlerFunc
		code           string
		class          operation.Class
	}{
		"the operation's own error is better":      {bad, answers(400, coded("UserErrorRestoreToLowerVersion", "m")), "UserErrorRestoreToLowerVersion", operation.Fatal},
		"a fault that passes is retried":           {bad, answers(503, coded("ServerBusy", "m")), "ServerBusy", operation.Transient},
		"an expired Location explains nothing":     {bad, answers(404, coded("ResourceNotFound", "m")), "InvalidApiVersionParameter", operation.Fatal},
		"an unreadable status is read again":       {answers(200, `<html>`), answers(404, ``), azerr.CodeUnreadableAnswer, operation.Transient},
		"both are pages of a gateway":              {answers(200, `<html>`), answers(200, `<html>`), azerr.CodeUnreadableAnswer, operation.Transient},
		"a status that expired, then a bad result": {answers(404, ``), answers(400, coded("Bad", "m")), "Bad", operation.Fatal},
	} {
		azure, tracking := operations(t, c.status, c.result)
		_, err := lro.Track(t.Context(), azure.client, tracking)
		e := asError(t, err)
		require.Equal(t, c.code, e.Code, name)
		require.Equal(t, c.class, e.Class, name)
		require.Len(t, azure.requests(), 2, name)
	}
}
