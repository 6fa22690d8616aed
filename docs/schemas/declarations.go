// Package schemas holds the published JSON Schemas, so that programs check with
// the very files that people read.
package schemas

import _ "embed" // for the schemas

//go:embed schedules.v1.schema.json
var schedules []byte

//go:embed protection.v1.schema.json
var protection []byte

//go:embed drills.v1.schema.json
var drills []byte

//go:embed evidence.v1.schema.json
var evidence []byte

//go:embed readiness.v1.schema.json
var readiness []byte

// Schedules is the schema of schedules.yaml.
func Schedules() []byte { return schedules }

// Protection is the schema of protection.yaml.
func Protection() []byte { return protection }

// Drills is the schema of drills.yaml.
func Drills() []byte { return drills }

// Evidence is the schema of the evidence of a restore drill.
func Evidence() []byte { return evidence }

// Readiness is the schema of the readiness report.
func Readiness() []byte { return readiness }
