package replay

// sequence holds the answers of one operation or job, in order.
type sequence struct {
	indexes []int
	next    int
	looked  bool // whether the last answer was given
}

// take returns the index of the next answer; the last one repeats.
func (s *sequence) take() int {
	i := s.indexes[min(s.next, len(s.indexes)-1)]
	if s.next >= len(s.indexes)-1 {
		s.looked = true
	}
	s.next++
	return i
}

func (s *sequence) ended() bool { return s.looked }

// operation holds the recorded answers of an operation; either sequence may be
// missing.
type operation struct{ status, result *sequence }

// ended reports whether the client has seen the end of the operation.
func (o *operation) ended() bool {
	return o.status != nil && o.status.ended() || o.result != nil && o.result.ended()
}

// with returns the sequence with one more answer.
func (s *sequence) with(n int) *sequence {
	if s == nil {
		s = &sequence{}
	}
	s.indexes = append(s.indexes, n)
	return s
}

// shorten keeps one running answer of each sequence, and its end.
func (r *recording) shorten() {
	r.shortened = true
	for _, o := range r.operations {
		for _, s := range []*sequence{o.status, o.result} {
			if s != nil {
				s.indexes = ends(s.indexes)
			}
		}
	}
	for _, s := range r.jobs {
		s.indexes = ends(s.indexes)
	}
}

// ends returns the first and the last index.
func ends(indexes []int) []int {
	if len(indexes) <= 2 {
		return indexes
	}
	return []int{indexes[0], indexes[len(indexes)-1]}
}
