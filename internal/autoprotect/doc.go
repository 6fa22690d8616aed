// Package autoprotect decides by the rules of protection.yaml which resources
// are protected automatically, and starts the operations that protect them. It
// handles Event Grid events about written resources, and sweeps subscriptions
// for resources that no event announced.
//
// The package may not know how decisions are stored, how the steps of an
// operation run, or how events are delivered.
package autoprotect
