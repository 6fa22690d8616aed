package operation_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

// Rows of running operations have these IDs, so they must never change.
func TestID_NeverChanges(t *testing.T) {
	t.Parallel()
	require.Equal(t, "tkqvlw7cdae33y4bevhn435qdp", operation.ID("contoso", "backup-now", "nightly"))
	require.Equal(t, "u57ajes3xgu7gtdbbwk4hvqqlr", operation.ID("", "protect-file-share", "key"))
}

func TestID_DiffersHoweverTheSamePartsAreSplit(t *testing.T) {
	t.Parallel()
	parts := []string{"", "a", "ab", "b", "a|", "|", "1:a", "a|1:", "ä", "A", " ", "0:|0:|", "x:y"}
	seen := map[string]string{}
	for _, tenant := range parts {
		for _, flow := range parts {
			for _, key := range parts {
				who := fmt.Sprintf("%q %q %q", tenant, flow, key)
				id := operation.ID(tenant, flow, key)
				require.Regexp(t, `^[a-z2-7]{26}$`, id)
				require.Empty(t, seen[id], "%s has the id of %s", who, seen[id])
				seen[id] = who
			}
		}
	}
}

func TestHashParameters_IgnoresOrderAndWhiteSpace(t *testing.T) {
	t.Parallel()
	want := hash(t, `{"vault":"v","share":{"name":"s","account":"a"},"list":[1,2],"n":null}`)
	for _, same := range []string{
		` {"share":{"account":"a","name":"s"},"n":null,"list":[1,2],"vault":"v"} `,
		"{\n\t\"list\": [1, 2],\n\t\"vault\": \"\\u0076\",\n\t\"n\": null, \"share\": {\"name\": \"s\", \"account\": \"a\"}\n}",
	} {
		require.Equal(t, want, hash(t, same), same)
	}
	for _, other := range []string{
		`{"vault":"v","share":{"name":"s","account":"a"},"list":[2,1],"n":null}`,
		`{"vault":"V","share":{"name":"s","account":"a"},"list":[1,2],"n":null}`,
		`{"vault":"v","share":{"name":"s","account":"a"},"list":[1,2]}`,
		`{"vault":"v","share":{"name":"s","account":"a"},"list":[1,"2"],"n":null}`,
		`{}`, `[]`, `null`, `""`,
	} {
		require.NotEqual(t, want, hash(t, other), other)
	}
}

func TestHashParameters_KeepsLongNumbersApart(t *testing.T) {
	t.Parallel()
	require.NotEqual(t, hash(t, `{"n":9007199254740993}`), hash(t, `{"n":9007199254740992}`))
}

func TestHashParameters_RejectsInvalidJSON(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"", "{", "x", `{"a":}`} {
		_, err := operation.HashParameters(json.RawMessage(raw))
		require.ErrorContains(t, err, "hash parameters", raw)
	}
}

func hash(t *testing.T, raw string) string {
	t.Helper()
	h, err := operation.HashParameters(json.RawMessage(raw))
	require.NoError(t, err)
	require.Regexp(t, `^[0-9a-f]{64}$`, h)
	return h
}
