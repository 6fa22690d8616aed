// Package roles computes what Azure must allow the app to do, and no more. The
// catalog in catalog.go lists every call of Azure Resource Manager with the action
// that Azure requires for it. Which of the custom roles grants an action follows
// from the flows that make its calls: granted.go is generated from them.
//
// The role definitions that infra/ deploys, the page docs/roles.md, the
// recommended action of an operation that Azure answered with 403, and the
// checks of the preflight are computed from this table. The names of actions are
// those of Learn's "Azure permissions": Azure rejects a custom role with an
// unknown action.
// https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations
//
// The package does not know the flows or the ARM client: it imports nothing of
// ours.
package roles
