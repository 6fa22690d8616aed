//go:build !race

package flow_test

// share is the part of the load that the race detector can handle.
const share = 1
