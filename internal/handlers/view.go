package handlers

import (
	"encoding/json"
	"time"

	"azbackupflow/internal/operation"
)

// View is an operation as people and other systems see it. Status URLs are
// capabilities and stay inside.
type View struct {
	ID       string            `json:"id"`
	Flow     string            `json:"flow"`
	Version  int               `json:"version"`
	Key      string            `json:"key"`
	Status   operation.Status  `json:"status"`
	Step     string            `json:"step"`
	Seq      int64             `json:"seq"`
	Labels   map[string]string `json:"labels,omitempty"`
	JobID    string            `json:"jobId,omitempty"`
	Learned  map[string]string `json:"learned,omitempty"`
	Warnings []string          `json:"warnings,omitempty"`
	Error    *operation.Error  `json:"error,omitempty"`

	WaitingFor      string    `json:"waitingFor,omitempty"`
	DueAt           time.Time `json:"dueAt,omitzero"`
	Deadline        time.Time `json:"deadline"`
	Attempts        int       `json:"attempts,omitempty"`
	CancelRequested bool      `json:"cancelRequested,omitempty"`
	Paused          bool      `json:"paused,omitempty"`

	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
	EndedAt   time.Time `json:"endedAt,omitzero"`

	Parameters json.RawMessage `json:"parameters,omitempty"`
}

// Show gives the view of an operation.
func Show(op operation.Operation) View {
	v := View{
		ID: op.ID, Flow: op.Flow, Version: op.Version, Key: op.Key, Status: op.Status, Step: op.Step, Seq: op.Seq,
		Labels: op.Labels, JobID: op.Learned["jobId"], Learned: op.Learned, Warnings: op.Warnings, Error: op.LastError,
		WaitingFor: op.WaitingFor, DueAt: op.DueAt, Deadline: op.Deadline, Attempts: op.Attempts,
		CancelRequested: op.CancelRequested, Paused: op.Paused,
		CreatedAt: op.CreatedAt, UpdatedAt: op.UpdatedAt, EndedAt: op.EndedAt, Parameters: op.Parameters,
	}
	if op.Tracking != nil && op.Tracking.JobID != "" {
		v.JobID = op.Tracking.JobID
	}
	return v
}

// List is one page of operations, newest first.
type List struct {
	Operations []View `json:"operations"`
	// Continue asks for the next page; empty after the last.
	Continue string `json:"continue,omitempty"`
}

// FlowView is a flow that can be started.
type FlowView struct {
	Name    string   `json:"name"`
	Version int      `json:"version"`
	Summary string   `json:"summary"`
	Steps   []string `json:"steps"`
}
