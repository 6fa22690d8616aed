package autoprotect

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The key is that of one resource, from its creation to its deletion.
func TestRequestKey_IsThatOfOneResource(t *testing.T) {
	t.Parallel()
	created := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	res := Resource{ID: "/subscriptions/s/resourceGroups/RG", Created: created}
	r := Rule{Name: "daily"}
	key := r.requestKey(res, "")
	spelled := res
	spelled.ID = strings.ToLower(res.ID)
	require.Equal(t, key, r.requestKey(spelled, ""))
	elsewhere := res
	elsewhere.Created = created.In(time.FixedZone("", 3600))
	require.Equal(t, key, r.requestKey(elsewhere, ""))

	keys := map[string]bool{key: true}
	again := res
	again.Created = created.Add(time.Second)
	other := res
	other.ID += "2"
	unknown := res
	unknown.Created = time.Time{}
	for _, k := range []string{
		r.requestKey(again, ""), r.requestKey(other, ""), r.requestKey(unknown, ""), r.requestKey(res, "20260301"), Rule{Name: "weekly"}.requestKey(res, ""),
	} {
		require.False(t, keys[k], k)
		keys[k] = true
	}
}
