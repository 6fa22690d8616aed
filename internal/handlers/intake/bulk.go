package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/parallel"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/request"
	"azbackupflow/internal/settings"
	"azbackupflow/internal/step"
)

// Limits of one portion of a bulk. A portion ends long before the lock of its
// message, so a bulk is a chain of short invocations.
const (
	maxPortion     = 250 // targets
	maxPortionTime = 60 * time.Second
	// maxConcurrentStarts limits the operations that one invocation creates at
	// the same time.
	maxConcurrentStarts = 8
)

// targetSeparator separates the message id of a bulk from the index of a target.
const (
	targetSeparator = "#"
	maxTargetIndex  = 5 // digits
)

// unfinishedBulk is the error of a bulk with remaining targets.
type unfinishedBulk struct {
	// offset is the number of targets that are done.
	offset int
	// progress is the number of targets that this portion finished.
	progress int
	// err is the error that stopped the portion; nil if the portion was full.
	err error
}

func (u *unfinishedBulk) Error() string {
	if u.err == nil {
		return fmt.Sprintf("bulk stopped at target %d", u.offset)
	}
	return fmt.Sprintf("bulk stopped at target %d: %v", u.offset, u.err)
}

func (u *unfinishedBulk) Unwrap() error { return u.err }

// startBulk starts the next portion of a bulk. A repeated portion, after a crash
// or a duplicate delivery, finds the operations that exist already. A target
// that can never work is rejected by itself; the other targets start.
func (in *Intake) startBulk(ctx context.Context, m Envelope) error {
	b, err := request.ReadBulk(m.content.Body)
	if err != nil {
		return err
	}
	if b.Key == "" {
		b.Key = m.key()
	}
	if err := b.Check(); err != nil { // the key may be the message id
		return err
	}
	if err := request.Reserved(b.Key); err != nil && !m.internal {
		return err
	}
	offset := m.bulkOffset
	if offset >= len(b.Targets) {
		offset = 0 // starting a target twice is safe; skipping one is not
	}
	if offset == 0 {
		if err := in.checkBulk(ctx, b, m.targetOrigin(b)); err != nil {
			return err
		}
		if err := in.cfg.Bulks.Record(ctx, b, m.by(b.Reason), b.Keys(), nil); err != nil {
			return err
		}
	}
	done, rejected, err := in.startPortion(ctx, m, b, offset)
	if len(rejected) > 0 {
		if e := in.cfg.Bulks.Record(ctx, b, m.by(b.Reason), nil, rejected); e != nil {
			done, err = 0, errors.Join(err, e) // the rejections are recorded when the portion is repeated
		}
	}
	offset += done
	in.cfg.Log.InfoContext(ctx, "bulk portion started", "messageId", boundedID(m.MessageID), "flow", b.Template.Flow, "targets", len(b.Targets), "done", offset)
	if offset == len(b.Targets) {
		return nil
	}
	return &unfinishedBulk{offset: offset, progress: done, err: err}
}

// targetOrigin returns where the operations of a bulk come from.
func (m Envelope) targetOrigin(b request.Bulk) engine.Origin {
	from := m.origin(b.Reason)
	from.Bulk = b.Key
	return from
}

// startPortion starts targets from the offset on. It returns how many of them
// are done without a gap, the keys of those that were rejected, and the first
// error.
func (in *Intake) startPortion(ctx context.Context, m Envelope, b request.Bulk, offset int) (n int, rejected []string, err error) {
	began := in.cfg.Now()
	done := make([]bool, min(offset+maxPortion, len(b.Targets))-offset)
	keys := make([]string, len(done))
	// The first failure stops the portion: if storage is unavailable, the other
	// targets would fail too.
	group, running := parallel.WithContext(ctx)
	group.SetLimit(maxConcurrentStarts)
	for i := range done {
		if in.cfg.Now().Sub(began) > maxPortionTime || running.Err() != nil {
			break
		}
		group.Go(func() error {
			var err error
			keys[i], err = in.startTarget(ctx, m, b, offset+i)
			done[i] = err == nil
			return err
		})
	}
	err = group.Wait()
	if err == nil {
		err = ctx.Err() // it may have ended before the first target
	}
	for n < len(done) && done[n] {
		n++
	}
	for _, key := range keys[:n] {
		if key != "" {
			rejected = append(rejected, key)
		}
	}
	return n, rejected, err
}

// startTarget starts the operation of one target, or rejects the target. It
// returns the key of a rejected one.
func (in *Intake) startTarget(ctx context.Context, m Envelope, b request.Bulk, i int) (rejectedKey string, err error) {
	req, err := b.Request(i)
	if err == nil {
		err = parallel.Recover(func() error {
			_, _, err := in.cfg.Engine.Start(ctx, req, m.targetOrigin(b))
			return err
		})
	}
	// A target that panics would stop the bulk at each attempt.
	var panicked *parallel.PanicError
	if errors.As(err, &panicked) {
		in.cfg.Log.ErrorContext(ctx, "bulk target panicked", "messageId", boundedID(m.MessageID), "target", i, "error", err, "stack", string(panicked.Stack()))
		err = fmt.Errorf("the target cannot be started: %w", err)
	} else if !IsPermanent(err) {
		return "", err
	}
	body := []byte(b.Targets[i])
	if whole, e := json.Marshal(req); e == nil && req.Key != "" {
		body = whole // a complete request, which an operator can correct and replay
	}
	rejection := m.rejection(rejected.Requests, body, err)
	rejection.MessageID += targetSeparator + strconv.Itoa(i)
	rejection.BulkTarget = true
	return req.Key, in.cfg.Rejecter.Reject(ctx, rejection)
}

// checkBulk returns an error for a bulk without a valid target, so that one
// rejection replaces thousands of equal ones.
func (in *Intake) checkBulk(ctx context.Context, b request.Bulk, from engine.Origin) error {
	err := CheckBulk(ctx, b, in.cfg.Engine.Prepare, FirstValid)
	if !IsPermanent(err) {
		return err
	}
	// The bulk may repeat one that was valid when it first arrived; then its
	// operations exist, and Start finds the first of them.
	if req, e := b.Request(0); e == nil {
		if _, _, e := in.cfg.Engine.Start(ctx, req, from); !IsPermanent(e) {
			return e
		}
	}
	return err
}

// MaxInvalidTargets limits the targets at the beginning of a bulk that may all be
// invalid. Validating more would only take time.
const MaxInvalidTargets = 500

// FirstValid ends CheckBulk at the first valid target.
func FirstValid(_ int, _ operation.Operation, err error) (more bool) { return err != nil }

// CheckBulk prepares the targets of a bulk in order. It calls visit with the
// operation of each valid target and with the error of each invalid one, until
// visit returns false. It returns an error if no target is valid, or none of the
// first MaxInvalidTargets. The error names the problems of the first target.
func CheckBulk(
	ctx context.Context, b request.Bulk, prepare func(request.Request) (operation.Operation, error),
	visit func(target int, op operation.Operation, err error) (more bool),
) error {
	var first error
	valid := false
	for i := range b.Targets {
		if err := ctx.Err(); err != nil {
			return err
		}
		var op operation.Operation
		req, err := b.Request(i)
		if err == nil {
			op, err = prepare(req)
		}
		if err != nil {
			if !IsPermanent(err) {
				return err
			}
			if first == nil {
				first = err
			}
		}
		valid = valid || err == nil
		if !visit(i, op, err) || !valid && i+1 == MaxInvalidTargets {
			break
		}
	}
	if valid {
		return nil
	}
	return noValidTarget(min(len(b.Targets), MaxInvalidTargets), Fields(first))
}

// noValidTarget returns the error of a bulk without a valid target, with the
// problems of its first target.
func noValidTarget(targets int, first []step.FieldError) error {
	fields := []step.FieldError{{
		Field: "targets", Problem: fmt.Sprintf("has no valid entry among the first %d; the problems of the first entry follow", targets), Want: "at least one valid target",
	}}
	return &step.Invalid{Fields: append(fields, first...)}
}

// continueBulk sends the bulk on with its offset: at once, or after a delay if a
// target failed or none was started. The id of an immediate copy depends on the first message and the
// offset, so duplicate detection keeps a repeated portion from starting a second
// chain.
func (in *Intake) continueBulk(ctx context.Context, m Envelope, rest *unfinishedBulk) error {
	if rest.err != nil || rest.progress == 0 {
		return in.reschedule(ctx, m, in.claims(ctx, m, rest.offset))
	}
	chain := m.MessageID
	if m.replayID != "" {
		chain = m.replayID
	}
	sum := sha256.Sum256(append([]byte(chain+"|"), m.Body...))
	id := fmt.Sprintf("bulk:%s:%d", hex.EncodeToString(sum[:16]), rest.offset)
	properties := m.carried(in.claims(ctx, m, rest.offset))
	if m.reschedules > 0 {
		properties[propertyReschedules] = strconv.Itoa(m.reschedules)
	}
	if err := in.cfg.Send(ctx, time.Time{}, settings.RequestsQueue, id, m.Body, properties); err != nil {
		return fmt.Errorf("continue a bulk: %w", err)
	}
	return nil
}
