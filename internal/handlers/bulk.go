package handlers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/settings"
	"azbackupflow/internal/step"
)

// How much of a bulk one invocation starts: what is done long before its
// message's lock ends, so that a bulk is a chain of short invocations, too.
const (
	portionTargets = 250
	portionTime    = 60 * time.Second
	// startsAtOnce bounds the operations that one invocation creates at the
	// same time.
	startsAtOnce = 8
)

// bulkOffset is a property of a bulk that is sent on: how many of its targets
// are done with.
const bulkOffset = "azbackupflow-bulk-offset"

// traceProperty is where Azure's clients put the trace context.
const traceProperty = "Diagnostic-Id"

// unfinished is a bulk of which a part is done with.
type unfinished struct {
	// offset is how many targets are.
	offset int
	// err says why it did not go on; nil when it was only enough for once.
	err error
}

func (u *unfinished) Error() string {
	return fmt.Sprintf("the bulk has come to target %d: %v", u.offset, u.err)
}

func (u *unfinished) Unwrap() error { return u.err }

// bulk starts the next portion of a bulk's operations. Whatever is repeated,
// because the process died or the message came twice, finds the operations
// that are there. A target that can never work is refused alone and recorded;
// the others start.
func (r Requests) bulk(ctx context.Context, inv customhandler.Invocation, messageID, key string, raw []byte, from engine.Origin) error {
	b, err := request.ReadBulk(raw)
	if err != nil {
		return err
	}
	if b.Key == "" {
		b.Key = key
	}
	if err := b.Check(); err != nil { // the key may be the message's id
		return err
	}
	offset := offsetOf(inv, len(b.Targets))
	if offset == 0 {
		if err := r.hopeless(ctx, b, from); err != nil {
			return err
		}
	}
	end := min(offset+portionTargets, len(b.Targets))
	began := r.Now()
	done := make([]bool, end-offset)
	// What has failed once, such as the table, need not be asked for each of
	// the others.
	group, going := errgroup.WithContext(ctx)
	group.SetLimit(startsAtOnce)
	for i := range done {
		if r.Now().Sub(began) > portionTime || going.Err() != nil {
			break
		}
		group.Go(func() error {
			err := r.startTarget(ctx, inv, messageID, b, offset+i, from)
			done[i] = err == nil
			return err
		})
	}
	err = group.Wait()
	reached := 0
	for reached < len(done) && done[reached] {
		reached++
	}
	offset += reached
	customhandler.Logger(ctx).InfoContext(ctx, "a portion of a bulk is started", "messageId", messageID, "flow", b.Template.Flow, "targets", len(b.Targets), "done", offset)
	if offset == len(b.Targets) {
		return nil
	}
	return &unfinished{offset: offset, err: err}
}

// startTarget starts the operation of one target, or refuses it.
func (r Requests) startTarget(ctx context.Context, inv customhandler.Invocation, messageID string, b request.Bulk, i int, from engine.Origin) error {
	req, err := b.Request(i)
	if err == nil {
		_, _, err = r.Engine.Start(ctx, req, from)
	}
	if !permanent(err) {
		return err
	}
	body := []byte(b.Targets[i])
	if whole, e := json.Marshal(req); e == nil && req.Key != "" {
		body = whole // what can be mended and sent again by itself
	}
	return r.refuse(ctx, inv, messageID+"#"+strconv.Itoa(i), body, err)
}

// hopeless refuses a bulk none of whose targets is right as a whole: thousands
// of refusals that say the same help nobody.
func (r Requests) hopeless(ctx context.Context, b request.Bulk, from engine.Origin) error {
	wrong := noneRight(b, r.Engine.Prepare)
	if wrong == nil {
		return nil
	}
	// A repeat of what was right once is no mistake.
	if req, err := b.Request(0); err == nil {
		if _, _, err := r.Engine.Start(ctx, req, from); !permanent(err) {
			return err
		}
	}
	return wrong
}

// noneRight is what is wrong with a bulk that has no target that is right; nil
// where it has one.
func noneRight(b request.Bulk, check func(request.Request) (operation.Operation, error)) error {
	var first error
	for i := range b.Targets {
		req, err := b.Request(i)
		if err == nil {
			_, err = check(req)
		}
		if !permanent(err) {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return noTargetRight(len(b.Targets), step.FieldsOf(first))
}

// noTargetRight says so, with what is wrong with the first target.
func noTargetRight(targets int, first []step.FieldError) error {
	fields := []step.FieldError{{
		Field: "targets", Problem: fmt.Sprintf("has no entry of %d that is right; what is wrong with the first follows", targets), Want: "at least one that is right",
	}}
	return &step.Invalid{Fields: append(fields, first...)}
}

// goOn sends an unfinished bulk on: at once, or after a while when something
// is out of reach. The message of a portion keeps its id, so that a portion
// that is repeated does not make a second chain where duplicates are detected.
func (r Requests) goOn(ctx context.Context, inv customhandler.Invocation, messageID string, raw []byte, rest *unfinished) error {
	properties := map[string]any{bulkOffset: strconv.Itoa(rest.offset)}
	if rest.err != nil {
		return r.later(ctx, inv, messageID, raw, properties)
	}
	maps.Copy(properties, handedOn(inv, messageID))
	chain := messageID
	if id, ok := inv.ApplicationProperty(replayedID); ok {
		chain = id
	}
	sum := sha256.Sum256(append([]byte(chain+"|"), raw...))
	id := fmt.Sprintf("bulk:%s:%d", hex.EncodeToString(sum[:16]), rest.offset)
	if err := r.Later(ctx, time.Time{}, settings.RequestsQueue, id, raw, properties); err != nil {
		return fmt.Errorf("send a bulk on: %w", err)
	}
	return nil
}

// offsetOf is how many targets of a bulk are done with, by the message's
// property. Whoever sends a bulk may set any property: what is no offset is
// none.
func offsetOf(inv customhandler.Invocation, targets int) int {
	text, ok := inv.ApplicationProperty(bulkOffset)
	n, err := strconv.Atoi(strings.Trim(text, `"`))
	if !ok || err != nil || n < 0 || n > targets {
		return 0
	}
	return n
}

// asUnfinished finds what is left of a bulk in an error.
func asUnfinished(err error) (*unfinished, bool) {
	var rest *unfinished
	ok := errors.As(err, &rest)
	return rest, ok
}

// handedOn are the properties that a message takes along when it is sent on:
// what the new message itself does not have.
func handedOn(inv customhandler.Invocation, messageID string) map[string]any {
	properties := map[string]any{originalID: messageID}
	if inv.Trace != "" {
		properties[traceProperty] = inv.Trace
	}
	if id, ok := inv.ApplicationProperty(replayedID); ok {
		properties[replayedID] = id
	}
	if to := replyTo(inv); to != "" {
		properties[originalReplyTo] = to
	}
	if at := enqueued(inv); !at.IsZero() {
		properties[originalTime] = at.UTC().Format(time.RFC3339Nano)
	}
	return properties
}
