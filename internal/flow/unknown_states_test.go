package flow_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// No description of the API has this state. Azure decides; protect does not write
// over it.
func TestStates_UnknownOnesAreNotWrittenOver(t *testing.T) {
	t.Parallel()
	const unknown = "SomethingNew"
	for _, c := range []struct {
		stateCase
		treatment string
	}{
		{stateCase{flow: "protect-postgres", step: "find-instance"}, "waits"},
		{stateCase{flow: "backup-now", step: "read-instance"}, "proceeds"},
		{stateCase{flow: "restore-postgres", step: "read-instance"}, "proceeds"},
	} {
		azure := onInstances(t, unknown)
		out, err := azure.run(c.flow, c.step, onInstance(t, c.flow))
		c.done(t, c.treatment, out, err, writesOf(azure))
	}
	azure := onItems(t, unknown)
	out, err := azure.run("protect-file-share", "find-item", onItem(t, "protect-file-share"))
	require.NoError(t, err)
	require.NotEqual(t, "configure", out.Next)
	require.Empty(t, writesOf(azure))
}
