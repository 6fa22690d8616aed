package arm

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"sync"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// CodeNotSent is the code of a call that a dry run did not send.
const CodeNotSent = "NotSent"

// rehearsal collects the calls that were not made.
type rehearsal struct {
	mu     sync.Mutex
	unsent []step.Unsent
}

type rehearsalKey struct{}

// Rehearse gives a context in which nothing is changed in Azure: only GET
// requests are made. Every other call fails with an error of code CodeNotSent
// before anything is sent, and is listed by the function.
func Rehearse(ctx context.Context) (context.Context, func() []step.Unsent) {
	r := &rehearsal{}
	return context.WithValue(ctx, rehearsalKey{}, r), func() []step.Unsent {
		r.mu.Lock()
		defer r.mu.Unlock()
		return slices.Clone(r.unsent)
	}
}

// Rehearses reports whether the context is one of Rehearse. Steps that change
// something else than Azure must ask.
func Rehearses(ctx context.Context) bool {
	_, ok := ctx.Value(rehearsalKey{}).(*rehearsal)
	return ok
}

func (r *rehearsal) note(method string, target *url.URL, body any) error {
	unsent := step.Unsent{Method: method, Path: target.Path, Query: target.RawQuery}
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return &operation.Error{Code: azerr.CodeMalformedRequest, Class: operation.Fatal, Message: err.Error()}
		}
		unsent.Body = raw
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unsent = append(r.unsent, unsent)
	return &operation.Error{Code: CodeNotSent, Class: operation.Fatal, Message: "a rehearsal changes nothing: the call was not made"}
}
