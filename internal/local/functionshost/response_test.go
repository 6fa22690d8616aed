package functionshost

import (
	"context"
	"log/slog"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// respondWith returns a script with one response.
func respondWith(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil // or net/http guesses one
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func TestInvoke_WaitsAfterAnEmptyResponse(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]http.HandlerFunc{
		"empty 200":           respondWith(http.StatusOK, "", ""),
		"empty 200 with type": respondWith(http.StatusOK, "application/json", ""),
		"204":                 respondWith(http.StatusNoContent, "", ""),
		"null":                respondWith(http.StatusOK, "application/json", "null"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := newLogLines()
			h := newIdleHost(t, map[string]string{"onEvent": eventFunction}, script, func(c *Config) { c.Log = slog.New(log) })
			i, err := h.eventInvocation(h.function("onEvent"), []byte(`{"id":"e-1"}`))
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			finished := make(chan error, 1)
			go func() {
				_, err := h.invoke(ctx, i)
				finished <- err
			}()
			eventually(t, func() bool { return log.count("response empty, waiting for functionTimeout") == 1 }, "the host waits")
			require.Empty(t, finished)
			cancel()
			require.ErrorIs(t, <-finished, context.Canceled)
		})
	}
}

func TestInvoke_AcceptsOrFailsOtherResponsesAtOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script http.HandlerFunc
		fails  bool
	}{
		"200":             {respondWith(http.StatusOK, "application/json", "{}"), false},
		"202":             {respondWith(http.StatusAccepted, "application/json", "{}"), false},
		"text/plain":      {respondWith(http.StatusOK, "text/plain", "{}"), true},
		"unreadable JSON": {respondWith(http.StatusOK, "application/json", "{"), true},
		"302":             {respondWith(http.StatusFound, "application/json", "{}"), true},
		"500":             {respondWith(http.StatusInternalServerError, "application/json", "{}"), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newIdleHost(t, map[string]string{"onEvent": eventFunction}, c.script, nil)
			i, err := h.eventInvocation(h.function("onEvent"), []byte(`{"id":"e-1"}`))
			require.NoError(t, err)
			_, err = h.invoke(t.Context(), i)
			require.Equal(t, c.fails, err != nil, err)
		})
	}
}
