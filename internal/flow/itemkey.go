package flow

import (
	"encoding/json"
	"strings"

	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/operation"
)

// Flows name one thing in several ways: a file share by vault, account and name
// or by the id of its item, whose last part is a hash; a server by its own id or
// by that of its backup instance. An item has one key for all of them: the
// resource id of what is backed up where that is known, else the id of the
// item, in lower case. Steps that only read learn what is needed before the
// first one that changes anything.

// targetKey is the key of the item that an operation on a Target changes.
func targetKey(op operation.Operation) string {
	learned := op.Learned
	switch {
	case learned[learnedInstance] != "":
		return instanceKey(learned[learnedSource], learned[learnedInstance])
	case learned[learnedItemType] == recoveryservices.ItemAzureFileShare && learned[learnedSource] != "" && learned[learnedName] != "":
		return shareKey(learned[learnedSource], learned[learnedName])
	}
	return resourceKey(learned[learnedItem])
}

// protectedShareKey is the key of the share that protect-file-share protects.
func protectedShareKey(op operation.Operation) string {
	var p ProtectFileShare
	if err := json.Unmarshal(op.Parameters, &p); err != nil {
		return "" // the step says so
	}
	return shareKey(p.StorageAccountID, p.FileShare)
}

// protectedServerKey is the key of the server that protect-postgres protects.
func protectedServerKey(op operation.Operation) string {
	var p ProtectPostgres
	if err := json.Unmarshal(op.Parameters, &p); err != nil {
		return "" // the step says so
	}
	return resourceKey(p.ServerID)
}

// shareResource is the resource id of a file share.
func shareResource(account, name string) string {
	return strings.TrimRight(account, "/") + "/fileServices/default/shares/" + name
}

func shareKey(account, name string) string { return resourceKey(shareResource(account, name)) }

func instanceKey(source, instance string) string {
	if source == "" {
		return resourceKey(instance)
	}
	return resourceKey(source)
}

func resourceKey(id string) string { return strings.ToLower(strings.TrimRight(id, "/")) }
