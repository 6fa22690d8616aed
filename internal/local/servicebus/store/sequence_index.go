package store

import (
	"slices"
	"sort"
)

// order is the ascending list of the sequence numbers of a queue. Removed numbers stay
// in it until they are half of it, so that a removal has constant amortized cost.
type order struct {
	numbers []int64
	gone    int
}

// add inserts a number, which must be new.
func (o *order) add(n int64) {
	if last := len(o.numbers) - 1; last < 0 || o.numbers[last] < n {
		o.numbers = append(o.numbers, n)
		return
	}
	i := sort.Search(len(o.numbers), func(i int) bool { return o.numbers[i] >= n })
	o.numbers = slices.Insert(o.numbers, i, n)
}

// remove counts a removed number. present reports whether a number is still used.
func (o *order) remove(present func(int64) bool) {
	o.gone++
	if o.gone > 32 && o.gone > len(o.numbers)/2 {
		o.numbers = slices.DeleteFunc(o.numbers, func(n int64) bool { return !present(n) })
		o.gone = 0
	}
}

// from returns the numbers from n on, including removed ones.
func (o *order) from(n int64) []int64 {
	return o.numbers[sort.Search(len(o.numbers), func(i int) bool { return o.numbers[i] >= n }):]
}
