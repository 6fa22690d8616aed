package servicebus

import (
	"azbackupflow/internal/local/servicebus/store"
	"azbackupflow/internal/local/servicebus/wire"
)

// The annotations that the broker sets. Clients read them with exactly these types
// (azservicebus message.go newReceivedMessage).
const (
	annotationSequenceNumber = "x-opt-sequence-number"        // long
	annotationEnqueuedTime   = "x-opt-enqueued-time"          // timestamp
	annotationLockedUntil    = "x-opt-locked-until"           // timestamp
	annotationScheduledTime  = "x-opt-scheduled-enqueue-time" // timestamp
	annotationState          = "x-opt-message-state"          // int
	annotationLockToken      = "x-opt-lock-token"             //nolint:gosec // the name of an annotation; uuid, a delivery annotation
)

// brokerAnnotations returns the annotations that senders cannot set.
func brokerAnnotations() []string {
	return []string{
		annotationSequenceNumber, annotationEnqueuedTime, annotationLockedUntil, annotationState,
		"x-opt-enqueue-sequence-number", "x-opt-deadletter-source",
	}
}

// encode encodes a message as receivers expect it.
func encode(m store.Message) []byte {
	count := min(max(m.DeliveryCount, 0), 1<<30)
	out := m.Content.
		WithDeliveryCount(uint32(count)).
		WithMessageAnnotation(annotationSequenceNumber, wire.Long(m.SequenceNumber)).
		WithMessageAnnotation(annotationEnqueuedTime, wire.TimestampOf(m.EnqueuedAt))
	switch m.State {
	case store.Active: // no state annotation
	case store.Scheduled:
		out = out.WithMessageAnnotation(annotationState, wire.Int(2)).
			WithMessageAnnotation(annotationScheduledTime, wire.TimestampOf(m.ScheduledFor))
	case store.Deferred:
		out = out.WithMessageAnnotation(annotationState, wire.Int(1))
	}
	return out.Append(nil)
}

// encodeLocked encodes a message that the receiver has locked.
func encodeLocked(m store.Message) []byte {
	m.Content = m.Content.
		WithDeliveryAnnotation(annotationLockToken, m.LockToken).
		WithMessageAnnotation(annotationLockedUntil, wire.TimestampOf(m.LockedUntil))
	return encode(m)
}

// deliveryTag returns the lock token in the byte order of a .NET Guid, which clients
// expect: the first three groups are reversed (azservicebus message.go
// lockTokenFromMessageTag).
func deliveryTag(token wire.UUID) []byte {
	t := token
	t[0], t[1], t[2], t[3] = token[3], token[2], token[1], token[0]
	t[4], t[5] = token[5], token[4]
	t[6], t[7] = token[7], token[6]
	return t[:]
}
