// Package histories tests the whole program with random histories. A history is
// a few operations from their requests to their ends: the real flows, engine,
// rate limiter and job cache run over the store in memory, a queue in memory and
// the simulated Azure. Processes crash and freeze at any command, messages are
// lost and doubled, answers are lost, services fail, and clocks differ. Each
// history is checked against the rules in rules_test.go.
//
// One seed is one history: time is virtual (testing/synctest), every choice comes
// from the seed, and only one goroutine runs at a time.
//
// What it does not do: two invocations never share a process, and the store
// writes each row at once.
package histories
