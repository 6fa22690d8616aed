package store

import (
	"slices"
	"sort"
)

// order lists the sequence numbers of a queue in ascending order. Numbers that
// have left stay in it until they are half of it, so that leaving costs
// nothing.
type order struct {
	numbers []int64
	gone    int
}

// add puts in a number that was never in before.
func (o *order) add(n int64) {
	if last := len(o.numbers) - 1; last < 0 || o.numbers[last] < n {
		o.numbers = append(o.numbers, n)
		return
	}
	i := sort.Search(len(o.numbers), func(i int) bool { return o.numbers[i] >= n })
	o.numbers = slices.Insert(o.numbers, i, n)
}

// remove notes that a number has left; present tells which have not.
func (o *order) remove(present func(int64) bool) {
	o.gone++
	if o.gone > 32 && o.gone > len(o.numbers)/2 {
		o.numbers = slices.DeleteFunc(o.numbers, func(n int64) bool { return !present(n) })
		o.gone = 0
	}
}

// from lists the numbers from n on, some of which may have left.
func (o *order) from(n int64) []int64 {
	return o.numbers[sort.Search(len(o.numbers), func(i int) bool { return o.numbers[i] >= n }):]
}
