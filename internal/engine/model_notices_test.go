package engine

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

// noticeError returns the error about the notices of a world without further
// moves. It is empty if each notice was sent.
func noticeError(w world) string {
	last := map[operation.Status]operation.NoticeKind{
		operation.Succeeded: operation.NoticeSucceeded, operation.Canceled: operation.NoticeCanceled,
		operation.Failed: operation.NoticeFailed,
	}[w.row.Status]
	for _, id := range []string{"op:1:started", fmt.Sprintf("op:%d:%s", w.row.Seq, last)} {
		if !slices.Contains(w.sentNotices, id) {
			return fmt.Sprintf("never sent: %s, of %v", id, w.sentNotices)
		}
	}
	switch {
	case len(w.sentNotices) != 2:
		return fmt.Sprintf("unexpected notices: %v", w.sentNotices)
	case len(w.row.PendingNotices) > 0:
		return "it keeps pending notices"
	}
	return ""
}

func noticedRules() rules {
	r := soundRules()
	r.notices = true
	return r
}

// The test explores the same interleavings with notices: none is lost, an ended
// operation has no pending notice, and the call still happens once.
func TestModel_LosesNoNotice(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes a minute: explores every interleaving")
	}
	cases := map[string]faults{
		"nothing goes wrong":             {},
		"crash":                          {crashes: 1},
		"unknown notices":                {noticesUnknown: 3, lostMessages: 1},
		"unknown notice and save":        {noticesUnknown: 1, savesUnknown: 1},
		"lost message and notice":        {lostMessages: 1, noticesUnknown: 1},
		"table away and unknown notice":  {outages: 1, noticesUnknown: 1},
		"canceled and unknown notice":    {cancels: 1, noticesUnknown: 1},
		"canceled and unknown save":      {cancels: 1, savesUnknown: 1},
		"throttled with unknown notices": {throttles: 1, noticesUnknown: 2},
	}
	for name, f := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkWith(t, noticedRules(), f, 200_000)
		})
	}
}

// The operation begins at its last step, so that more faults at once can be
// explored between its end and its notice.
func TestModel_LosesNoNoticeOfAnEnd(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes a minute: explores every interleaving")
	}
	cases := map[string]faults{
		"crashes":                           {crashes: 2},
		"crash and duplicate":               {crashes: 1, duplicates: 1},
		"crash and lost lock":               {crashes: 1, lockLosses: 1},
		"crash and unknown save":            {crashes: 1, savesUnknown: 1},
		"crash and unknown notice":          {crashes: 1, noticesUnknown: 1},
		"crash, unknown save and notice":    {crashes: 1, savesUnknown: 1, noticesUnknown: 1},
		"crash and lost message":            {crashes: 1, lostMessages: 1},
		"duplicate and unknown notice":      {duplicates: 1, noticesUnknown: 1},
		"lost lock and unknown save":        {lockLosses: 1, savesUnknown: 1},
		"canceled during a duplicate":       {cancels: 1, duplicates: 1},
		"canceled and crash":                {cancels: 1, crashes: 1},
		"canceled, crash, unknown notice":   {cancels: 1, crashes: 1, noticesUnknown: 1},
		"canceled, table away, lost notice": {cancels: 1, outages: 1, noticesUnknown: 1},
	}
	for name, f := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := noticedRules()
			r.started = true
			checkWith(t, r, f, 200_000)
		})
	}
}

func TestModel_NoticesDeeper(t *testing.T) {
	t.Parallel()
	if os.Getenv("AZBACKUPFLOW_DEEP") == "" {
		t.Skip("explores millions of states; make soak sets AZBACKUPFLOW_DEEP")
	}
	cases := map[string]faults{
		"crash and duplicate":      {crashes: 1, duplicates: 1},
		"crash and unknown notice": {crashes: 1, noticesUnknown: 1},
		"crash and lost answer":    {crashes: 1, lostAnswers: 1},
	}
	for name, f := range cases { //nolint:paralleltest // each case needs gigabytes
		t.Run(name, func(t *testing.T) {
			checkWith(t, noticedRules(), f, 8_000_000)
		})
	}
}

func TestModel_FindsLostNotices(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		change func(*rules)
		faults faults
	}{
		{"without the notice on the row a crash loses it", func(r *rules) { r.noOutbox = true }, faults{crashes: 1}},
		{"a sweep that only finalizes loses unsent notices", func(r *rules) { r.noWake = true }, faults{noticesUnknown: 1}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := noticedRules()
			c.change(&r)
			v := explore(r, c.faults, 200_000)
			require.Contains(t, v.wrong, "never sent")
		})
	}
}
