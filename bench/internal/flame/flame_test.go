package flame_test

import (
	"bytes"
	"testing"

	"github.com/google/pprof/profile"
	"github.com/stretchr/testify/require"

	"azbackupflow/bench/internal/flame"
)

func TestGraph_ShowsEachFunctionWithItsShare(t *testing.T) {
	t.Parallel()
	functions := []*profile.Function{{ID: 1, Name: "main.run"}, {ID: 2, Name: "main.<slow>"}, {ID: 3, Name: "main.fast"}}
	var locations []*profile.Location
	for i, f := range functions {
		locations = append(locations, &profile.Location{ID: uint64(i + 1), Line: []profile.Line{{Function: f}}})
	}
	p := &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}},
		Function:   functions, Location: locations,
		Sample: []*profile.Sample{
			{Location: []*profile.Location{locations[1], locations[0]}, Value: []int64{3, 30}},
			{Location: []*profile.Location{locations[2], locations[0]}, Value: []int64{1, 10}},
		},
	}
	var encoded bytes.Buffer
	require.NoError(t, p.Write(&encoded))
	svg, err := flame.Graph("run & rest", encoded.Bytes())
	require.NoError(t, err)
	for _, want := range []string{"run &amp; rest: cpu in nanoseconds", "main.run: 100.0 %", "main.&lt;slow&gt;: 75.0 %", "main.fast: 25.0 %"} {
		require.Contains(t, string(svg), want)
	}
	_, err = flame.Graph("none", []byte("no profile"))
	require.Error(t, err)
}
