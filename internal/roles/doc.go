// Package roles knows what Azure must allow the app to do, and no more: a table
// of every call that the app makes of Azure Resource Manager, the action that
// Azure asks for it, and the one of our custom roles that grants that action.
//
// From this table come the role definitions that infra/ deploys, the page
// docs/roles.md, the advice of an operation that Azure refused with 403, and
// what the preflight asks for. The names of actions are those of Learn's
// "Azure permissions": Azure refuses a custom role with an action that it does
// not know.
// https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations
package roles
