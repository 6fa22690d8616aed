package flow

import (
	"encoding/json"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// learnedProtected is Azure's error about a datasource that is already protected,
// as JSON: its recommended action names the instance.
const learnedProtected = "alreadyProtected"

// protectedFacts returns what later steps need to know of the error.
func protectedFacts(err *operation.Error) map[string]string {
	raw, unwritable := json.Marshal(err)
	if unwritable != nil {
		return map[string]string{learnedProtected: err.Message}
	}
	return map[string]string{learnedProtected: string(raw)}
}

// protectedElsewhere returns Azure's error about a server that another vault
// protects.
func protectedElsewhere(c step.Call) *operation.Error {
	known := operation.Error{Code: azerr.CodeAlreadyProtected}
	if json.Unmarshal([]byte(c.Operation.Learned[learnedProtected]), &known) != nil {
		known.Message = c.Operation.Learned[learnedProtected]
	}
	known.Class = operation.Fatal
	if len(known.RecommendedAction) == 0 {
		known.RecommendedAction = []string{"Another vault, which the message names, protects the server. To move the protection, delete the backup instance there first."}
	}
	return &known
}
