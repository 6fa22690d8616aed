//go:build !race

package flow_test

// share is the part of a storm that the race detector can take.
const share = 1
