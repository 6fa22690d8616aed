package handlers

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/request"
	"azbackupflow/internal/settings"
	"azbackupflow/internal/step"
)

// DeadLetters keeps what was refused or dead-lettered.
type DeadLetters interface {
	ListRejected(ctx context.Context, q rejected.Query) (rejected.Page, error)
	LoadRejected(ctx context.Context, handle string) (rejected.Request, error)
	SaveRejected(ctx context.Context, r rejected.Request) error
	DeleteRejected(ctx context.Context, handle string) error
	PurgeRejected(ctx context.Context, before time.Time, most int) (removed int, more bool, err error)
}

// Repair is what people do about what went wrong: dead letters, and a sweep at
// once. What cannot be delivered or can never work ends as a refusal, whichever
// queue it came by; a wake-up that was dead-lettered wakes its operation.
type Repair struct {
	Letters DeadLetters
	Sweeper Sweeper
	// Check tells what is wrong with a request before it is sent again.
	Check func(request.Request) (operation.Operation, error)
	// Publish sends a message to one of the app's queues.
	Publish func(ctx context.Context, queue, messageID string, body []byte, properties map[string]any) error
	Now     func() time.Time
	NewID   func() string
	// Flows and Roles are APIConfig's.
	Flows engine.Flows
	Roles bool
}

// DeadLetter is a refused or dead-lettered request as people see it.
type DeadLetter struct {
	// Handle names it.
	Handle string `json:"handle"`
	rejected.Request
}

// DeadLetterList is one page of dead letters, newest first.
type DeadLetterList struct {
	DeadLetters []DeadLetter `json:"deadLetters"`
	// Continue asks for the next page; empty after the last.
	Continue string `json:"continue,omitempty"`
}

// Replayed says as what a dead letter was sent again.
type Replayed struct {
	MessageID string `json:"messageId"`
}

// Purged says how many dead letters were removed.
type Purged struct {
	Removed int `json:"removed"`
	// More says that there may be others: ask again.
	More bool `json:"more"`
}

// mostPurged is how many dead letters one request removes.
const mostPurged = 1000

// Routes adds the routes to a handler for those below /api.
func (p Repair) Routes(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/dead-letters", p.list)
	mux.HandleFunc("DELETE /api/dead-letters", p.purge)
	mux.HandleFunc("GET /api/dead-letters/{handle}", p.show)
	mux.HandleFunc("DELETE /api/dead-letters/{handle}", p.remove)
	mux.HandleFunc("POST /api/dead-letters/{handle}/replay", p.replay)
	mux.HandleFunc("POST /api/rescue", p.rescue)
	own := http.Handler(mux)
	if p.Roles {
		own = withRoles(mux)
	}
	all := http.NewServeMux()
	all.Handle("/api/dead-letters", own)
	all.Handle("/api/dead-letters/", own)
	all.Handle("/api/rescue", own)
	all.Handle("/", next)
	return all
}

func (p Repair) list(w http.ResponseWriter, r *http.Request) {
	q, err := readQuery(r, "since", "pageSize", "continue")
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	page, err := p.Letters.ListRejected(r.Context(), rejected.Query{Since: q.Since, PageSize: q.PageSize, Continue: q.Continue})
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	list := DeadLetterList{DeadLetters: []DeadLetter{}, Continue: page.Continue}
	for _, refusal := range page.Requests {
		list.DeadLetters = append(list.DeadLetters, DeadLetter{refusal.ID, refusal})
	}
	writeJSON(w, http.StatusOK, list)
}

func (p Repair) show(w http.ResponseWriter, r *http.Request) {
	refusal, err := p.Letters.LoadRejected(r.Context(), r.PathValue("handle"))
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, DeadLetter{refusal.ID, refusal})
}

func (p Repair) remove(w http.ResponseWriter, r *http.Request) {
	refusal, err := p.Letters.LoadRejected(r.Context(), r.PathValue("handle"))
	if err == nil {
		err = p.Letters.DeleteRejected(r.Context(), refusal.ID)
	}
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, Purged{Removed: 1})
}

func (p Repair) purge(w http.ResponseWriter, r *http.Request) {
	q, err := readQuery(r, "until")
	if err == nil && q.Until.IsZero() {
		err = &step.Invalid{Fields: []step.FieldError{{Field: "until", Problem: "is missing", Want: "an RFC 3339 time: what was refused before it is removed"}}}
	}
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	removed, more, err := p.Letters.PurgeRejected(r.Context(), q.Until, mostPurged)
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, Purged{removed, more})
}

// replay sends a request again, as it was or as the body says, under a message
// id that was never used: the queue's duplicate detection would drop any other.
// It keeps the key that it had, so that replaying twice starts one operation. A
// request that can still not work is not sent.
func (p Repair) replay(w http.ResponseWriter, r *http.Request) {
	edited, err := io.ReadAll(http.MaxBytesReader(w, r.Body, longestRequest))
	if err != nil {
		writeProblem(w, r, fmt.Errorf("read the request: %w", err))
		return
	}
	refusal, err := p.Letters.LoadRejected(r.Context(), r.PathValue("handle"))
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	body, err := p.checked(r.Context(), refusal, edited)
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	id := p.NewID()
	properties := map[string]any{replayedID: id}
	if refusal.MessageID != "" {
		properties[originalID] = refusal.MessageID
	}
	if refusal.ReplyTo != "" {
		properties[originalReplyTo] = refusal.ReplyTo
	}
	if err := p.Publish(r.Context(), settings.RequestsQueue, id, body, properties); err != nil {
		writeProblem(w, r, fmt.Errorf("replay: %w", err))
		return
	}
	refusal.ReplayedAt, refusal.ReplayedAs = p.Now(), id
	if err := p.Letters.SaveRejected(r.Context(), refusal); err != nil {
		customhandler.Logger(r.Context()).WarnContext(r.Context(), "a replayed request could not be marked", "messageId", id, "error", err)
	}
	writeJSON(w, http.StatusAccepted, Replayed{id})
}

// checked is the request to send, after the checks that start-operation makes,
// too.
func (p Repair) checked(ctx context.Context, refusal rejected.Request, edited []byte) ([]byte, error) {
	invalid := func(problem, want string) error {
		return &step.Invalid{Fields: []step.FieldError{{Field: "request", Problem: problem, Want: want}}}
	}
	if refusal.Source == rejected.StepsDeadLetters {
		return nil, invalid("is no request: it came by the queue of the app's own wake-ups", "azbackupflow rescue, which wakes what waits in vain")
	}
	body := edited
	if len(body) == 0 {
		body = []byte(refusal.Body)
	}
	if len(body) == 0 {
		return nil, invalid("was not kept", "the request itself, as the body")
	}
	content, err := request.Unwrap(body)
	if err != nil {
		return nil, err
	}
	if request.IsBulk(content.Body) {
		return body, p.checkBulk(ctx, len(body), content.Body)
	}
	req, err := request.Read(content.Body)
	if err != nil {
		return nil, err
	}
	if err := (api{APIConfig{Flows: p.Flows}}).requireName(ctx, req.Flow); err != nil {
		return nil, err
	}
	if req.DryRun {
		return nil, &step.Invalid{Fields: []step.FieldError{{Field: "dryRun", Problem: "is set on a queue, where nobody reads the answer", Want: "a request over HTTP"}}}
	}
	if _, err := p.Check(req); err != nil {
		return nil, err
	}
	return body, nil
}

// checkBulk refuses a bulk of which nothing can work. Of one that has a target
// that is right the others are refused again by themselves.
func (p Repair) checkBulk(ctx context.Context, size int, raw []byte) error {
	if err := request.BulkFits(size); err != nil { // the event around it is sent, too
		return err
	}
	b, err := request.ReadBulk(raw)
	if err != nil {
		return err
	}
	if err := (api{APIConfig{Flows: p.Flows}}).requireName(ctx, b.Template.Flow); err != nil {
		return err
	}
	return noneRight(b, p.Check)
}

func (p Repair) rescue(w http.ResponseWriter, r *http.Request) {
	swept, err := p.Sweeper.Sweep(r.Context())
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, swept)
}
