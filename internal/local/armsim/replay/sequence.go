package replay

// sequence is the answers of one operation or job, in order.
type sequence struct {
	indexes []int
	next    int
	looked  bool // whether the last answer was given
}

// take returns the next answer's index; the last one stays.
func (s *sequence) take() int {
	i := s.indexes[min(s.next, len(s.indexes)-1)]
	if s.next >= len(s.indexes)-1 {
		s.looked = true
	}
	s.next++
	return i
}

func (s *sequence) ended() bool { return s.looked }

// operation is what was recorded of an operation; either may be missing.
type operation struct{ status, result *sequence }

// ended tells whether the client has seen the operation's end.
func (o *operation) ended() bool {
	return o.status != nil && o.status.ended() || o.result != nil && o.result.ended()
}

// with is the sequence with one more answer.
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

// ends are the first and the last.
func ends(indexes []int) []int {
	if len(indexes) <= 2 {
		return indexes
	}
	return []int{indexes[0], indexes[len(indexes)-1]}
}
