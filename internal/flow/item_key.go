package flow

import (
	"encoding/json"
	"strings"

	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/operation"
)

// Requests name one thing in several ways: a file share by vault, account and
// name or by the ID of its item, whose last part is a hash; a server by its own
// ID or by the ID of its backup instance. All of them have one item key: the
// lower-case resource ID of the datasource if it is known, else of the item. The
// steps before the first change learn what the key needs.

// targetKey returns the key of the item that an operation on a Target changes.
func targetKey(op operation.Operation) string {
	learned := op.Learned
	switch {
	case learned[learnedInstance] != "":
		return instanceKey(learned[learnedSource], learned[learnedInstance])
	case learned[learnedItemType] == recoveryservices.ItemAzureFileShare && learned[learnedSource] != "" && learned[learnedName] != "":
		return shareKey(learned[learnedSource], learned[learnedName])
	case learned[learnedItemType] == recoveryservices.ItemVirtualMachine && learned[learnedSource] != "":
		return resourceKey(learned[learnedSource])
	}
	return resourceKey(learned[learnedItem])
}

// parameterKey returns a key that the operation's parameters alone determine.
func parameterKey[P any](key func(P) string) func(operation.Operation) string {
	return func(op operation.Operation) string {
		var p P
		if err := json.Unmarshal(op.Parameters, &p); err != nil {
			return "" // the step reports it
		}
		return key(p)
	}
}

// shareResource returns the resource ID of a file share.
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
