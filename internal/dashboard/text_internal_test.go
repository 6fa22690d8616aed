package dashboard

import (
	"html/template"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSentence_WritesTheTextsOfFlowsForForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, when string
		want       template.HTML
	}{
		{"name of the file share", "", "Name of the file share."},
		{"an object, which may be empty: back up the share", "", "Back up the share."},
		{"an object: the rule of the policy", "backup instances only", "The rule of the policy (backup instances only)."},
		{"ends already.", "", "Ends already."},
		{"ends already.", "items only", "Ends already (items only)."},
		{"`true` or `false`", "", "<code>true</code> or <code>false</code>."},
		{"<b> & more", "", "&lt;b&gt; &amp; more."},
		{"", "", ""},
	} {
		require.Equal(t, c.want, sentence(c.text, c.when))
	}
}

func TestWords_SplitsNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"ObjectivesMissed": "Objectives missed", "Proven": "Proven", "": ""} {
		require.Equal(t, want, words(name))
	}
}

func TestBreakable_BreaksBetweenNames(t *testing.T) {
	t.Parallel()
	require.Equal(t, template.HTML("/<wbr>vaults/<wbr>VM;<wbr>a"), breakable("/vaults/VM;a"))
	require.Equal(t, template.HTML("&lt;i&gt;&amp;"), breakable("<i>&"), "no break within an escaped character")
	require.Equal(t, template.HTML("ends/"), breakable("ends/"))
	require.Equal(t, template.HTML(""), breakable(""))
}

func TestRunName_ShowsTimesAndRequests(t *testing.T) {
	t.Parallel()
	for slot, want := range map[string]string{
		"2026-11-01T04:00":                         "Sun 2026-11-01 04:00",
		"run-before-the-upgrade":                   "on request: before-the-upgrade",
		"run-96170521-5034-4c16-831f-55009fc9080f": "on request: 96170521…",
		"no time": "no time",
	} {
		require.Equal(t, want, runName(slot))
	}
}
