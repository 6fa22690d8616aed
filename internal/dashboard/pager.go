package dashboard

import (
	"html/template"
	"net/url"
	"strconv"
)

// pager links the pages of a list that the API returns as a whole.
type pager struct {
	// Number is the number of the page.
	Number int
	// From and To are the numbers of the first and last entry of the page, of Total.
	From, To, Total int
	// Previous and Next are the queries of the pages next to it; empty if there are
	// none.
	Previous, Next template.URL
}

// pageParameter is the query parameter with the number of the page.
const pageParameter = "page"

// onePage returns the entries of the page that a query selects: the first one if it
// selects none, and the last one if there are fewer.
func onePage[T any](query url.Values, all []T, size int) ([]T, pager) {
	last := max(1, (len(all)+size-1)/size)
	number, err := strconv.Atoi(query.Get(pageParameter))
	if err != nil {
		number = 1
	}
	number = min(max(number, 1), last)
	from, to := (number-1)*size, min(number*size, len(all))
	p := pager{Number: number, From: from + 1, To: to, Total: len(all)}
	if number > 1 {
		p.Previous = with(query, pageParameter, strconv.Itoa(number-1))
	}
	if number < last {
		p.Next = with(query, pageParameter, strconv.Itoa(number+1))
	}
	return all[from:to], p
}
