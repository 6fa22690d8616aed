package api

import "encoding/json"

// Request starts one operation.
type Request struct {
	// Flow names the flow, such as protect-file-share.
	Flow string `json:"flow"`
	// Key makes the request idempotent: the same flow and key always mean the
	// same operation. Without a key each request starts a new operation.
	Key string `json:"key,omitempty"`
	// Parameters belong to the flow; see its JSON Schema.
	Parameters json.RawMessage `json:"parameters"`
	// Deadline limits the operation's duration, such as 6h, 7d or, in ISO 8601,
	// PT6H. The flow has a default.
	Deadline string `json:"deadline,omitempty"`
	// Labels are filters for later lists.
	Labels map[string]string `json:"labels,omitempty"`
	// Reason is the sender's own text: why the operation is started.
	Reason string `json:"reason,omitempty"`
	// DryRun checks the request and starts nothing.
	DryRun bool `json:"dryRun,omitempty"`
}

// Plan is the response to a request with DryRun.
type Plan struct {
	Valid   bool   `json:"valid"`
	Flow    string `json:"flow"`
	Version int    `json:"version"`
	// Parameters are the request's parameters in normal form.
	Parameters json.RawMessage `json:"parameters"`
	Steps      []string        `json:"steps"`
}

// Validation is the result of a dry run against Azure. The dry run makes only
// calls that read.
type Validation struct {
	Valid   bool   `json:"valid"`
	Flow    string `json:"flow"`
	Version int    `json:"version"`
	// Parameters are the request's parameters in normal form.
	Parameters json.RawMessage `json:"parameters"`
	Steps      []string        `json:"steps"`
	// OK reports that the calls that read found no problem.
	OK bool `json:"ok"`
	// Problem is the first problem that they found.
	Problem *Error `json:"problem,omitempty"`
	// DryRun holds the steps that ran, in order.
	DryRun []DryRunStep `json:"dryRun"`
	// Incomplete explains why the dry run stopped before the last step. It is
	// empty when the dry run reached the last step or found a problem.
	Incomplete string `json:"incomplete,omitempty"`
}

// DryRunStep is one step of a dry run.
type DryRunStep struct {
	Step string `json:"step"`
	// Effect is Read, Idempotent, Repeatable or Once.
	Effect string `json:"effect"`
	Note   string `json:"note,omitempty"`
	// Made are the calls that read. WouldMake are the calls that would change
	// something; the dry run does not send them.
	Made      []Exchange   `json:"made,omitempty"`
	WouldMake []UnsentCall `json:"wouldMake,omitempty"`
}

// UnsentCall is a call to Azure Resource Manager that a dry run does not send.
type UnsentCall struct {
	Method string          `json:"method"`
	Path   string          `json:"path"`
	Query  string          `json:"query,omitempty"`
	Body   json.RawMessage `json:"body,omitempty"`
}

// Bulk starts many operations that differ only in some parameters.
type Bulk struct {
	// Key makes the bulk idempotent. The key of each operation is the bulk's key
	// and a digest of the target.
	Key string `json:"key,omitempty"`
	// Reason is the sender's own text: why the operations are started.
	Reason string `json:"reason,omitempty"`
	// Template is the common part of the requests.
	Template BulkTemplate `json:"template"`
	// Targets change the template's parameters by JSON Merge Patch (RFC 7396),
	// one request for each.
	Targets []json.RawMessage `json:"targets"`
}

// BulkTemplate is the common part of a bulk's requests; see Request.
type BulkTemplate struct {
	Flow       string            `json:"flow"`
	Parameters json.RawMessage   `json:"parameters"`
	Deadline   string            `json:"deadline,omitempty"`
	Labels     map[string]string `json:"labels,omitempty"`
}

// BulkResult reports which targets of a bulk were accepted.
type BulkResult struct {
	// Key is the bulk's key. Send it again with the same bulk to repeat it.
	Key      string         `json:"key"`
	Accepted []BulkTarget   `json:"accepted"`
	Rejected []BulkRejected `json:"rejected"`
}

// BulkTarget is an accepted target. Its operation exists shortly afterwards.
type BulkTarget struct {
	// Target is the index in Bulk.Targets, from 0.
	Target int    `json:"target"`
	ID     string `json:"id"`
	Key    string `json:"key"`
}

// BulkRejected is a target that is not valid. The API records nothing about
// it, because the response already names the problem.
type BulkRejected struct {
	// Target is the index in Bulk.Targets, from 0.
	Target int          `json:"target"`
	Fields []FieldError `json:"fields"`
}
