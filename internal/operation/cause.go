package operation

// ActorKind is the kind of an Actor.
type ActorKind string

// The kinds of actors.
const (
	// ActorUser and ActorApp signed in with Microsoft Entra. Their IDs are the
	// object ID of the user and the application ID of the app.
	ActorUser ActorKind = "user"
	ActorApp  ActorKind = "app"
	// ActorKey called with a function key. Its ID is the beginning of the key's
	// SHA-256, because the Functions host does not pass on the key's name.
	ActorKey ActorKind = "functionKey"
	// ActorAnonymous called an app that requires neither.
	ActorAnonymous ActorKind = "anonymous"
	// ActorSchedule and ActorRule are a schedule and a protection rule. Their IDs
	// are their names.
	ActorSchedule ActorKind = "schedule"
	ActorRule     ActorKind = "rule"
	// ActorQueue sent a message to a queue. Its ID is the queue's name.
	ActorQueue ActorKind = "queue"
)

// ActorKinds lists every kind.
func ActorKinds() []ActorKind {
	return []ActorKind{ActorUser, ActorApp, ActorKey, ActorAnonymous, ActorSchedule, ActorRule, ActorQueue}
}

// Actor names who started or changed an operation. It holds no names or addresses
// of people.
type Actor struct {
	Kind ActorKind `json:"kind"`
	ID   string    `json:"id,omitempty"`
}

// String returns the actor as text, such as "schedule nightly".
func (a Actor) String() string {
	if a.ID == "" {
		return string(a.Kind)
	}
	return string(a.Kind) + " " + a.ID
}

// Cause names who started or changed an operation, and why.
type Cause struct {
	Actor Actor `json:"actor"`
	// Reason is the actor's own text; empty if there is none.
	Reason string `json:"reason,omitempty"`
}
