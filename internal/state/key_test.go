package state

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

func TestEncodeKey_KeepsSafeCharacters(t *testing.T) {
	t.Parallel()
	require.Equal(t, "backup-now.v2", encodeKey("backup-now.v2"))
	require.Equal(t, "a_2Fb_5Fc_20_C3_A4", encodeKey("a/b_c ä"))
	require.Empty(t, encodeKey(""))
}

func TestEncodeKey_LongKeysDifferByHash(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", maxKeyLength)
	require.Equal(t, long, encodeKey(long))
	one, other := encodeKey(long+"1"), encodeKey(long+"2")
	require.Len(t, one, maxKeyLength)
	require.NotEqual(t, one, other)
}

func TestDecodeKey_ReturnsWhatWasEncoded(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"daily", "a/b_c ä", "_", "~"} {
		decoded, ok := decodeKey(encodeKey(text))
		require.True(t, ok)
		require.Equal(t, text, decoded)
	}
	for _, key := range []string{"", "_", "_2", "_xx", "a~b", encodeKey(strings.Repeat("/", 100))} {
		_, ok := decodeKey(key)
		require.False(t, ok, key)
	}
}

func FuzzEncodeKey(f *testing.F) {
	f.Add("a/b", "a_2Fb")
	f.Add(strings.Repeat("/", 100), strings.Repeat("/", 101))
	f.Add("~", "")
	safe := regexp.MustCompile(`^[A-Za-z0-9._~-]*$`)
	f.Fuzz(func(t *testing.T, a, b string) {
		require.Regexp(t, safe, encodeKey(a))
		require.True(t, encodedKey(encodeKey(a)))
		require.Equal(t, a == b, encodeKey(a) == encodeKey(b))
		ab, ba := listPrefix(labelList(operation.Label{Key: a, Value: b})), listPrefix(labelList(operation.Label{Key: b, Value: a}))
		require.Equal(t, a == b, ab == ba)
		require.Regexp(t, `^[A-Za-z0-9._~=-]*:$`, ab)
		require.LessOrEqual(t, len(ab)+len(PositionOf(time.Time{}, b)), 512)
	})
}

func TestPosition_SortsNewestFirst(t *testing.T) {
	t.Parallel()
	at := time.Date(2025, 3, 1, 8, 0, 0, 0, time.UTC)
	require.Less(t, PositionOf(at.Add(1), "z"), PositionOf(at, "a"))
	require.Less(t, PositionOf(at, "a"), PositionOf(at, "b"))
	require.Less(t, PositionOf(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), "z"), PositionOf(at, "a"))
	require.Less(t, PositionOf(at, "z"), PositionOf(time.Time{}, "a"))
}

func TestParseContinue_ReturnsPosition(t *testing.T) {
	t.Parallel()
	p := PositionOf(time.Date(2025, 3, 1, 8, 0, 0, 0, time.UTC), "a/ä")
	back, err := ParseContinue(p.Continue())
	require.NoError(t, err)
	require.Equal(t, p, back)
}

func FuzzChunks(f *testing.F) {
	f.Add("", uint16(0))
	f.Add("😀x", uint16(40_000))
	f.Fuzz(func(t *testing.T, text string, times uint16) {
		if !utf8.ValidString(text) || len(text)*int(times) > 1<<20 {
			t.Skip("JSON is valid UTF-8, and records have a maximum size")
		}
		long := strings.Repeat(text, int(times))
		pieces := chunks(long)
		require.Equal(t, long, strings.Join(pieces, ""))
		for _, piece := range pieces {
			require.True(t, utf8.ValidString(piece))
			require.LessOrEqual(t, len(utf16.Encode([]rune(piece))), chunkUnits)
		}
	})
}

// An entity has the JSON form that package json gives it.
func FuzzEntityEncode(f *testing.F) {
	f.Add("name", "plain")
	f.Add("a\"b", "line\nline \\ \"quoted\" \x00 \x7f ä €\u2028 \U0001F600 <&>")
	f.Fuzz(func(t *testing.T, name, value string) {
		if !utf8.ValidString(name) || !utf8.ValidString(value) {
			return // package json replaces each byte, entity.encode each run of bytes
		}
		encoded, err := entity{name: value, "ok": true}.encode()
		require.NoError(t, err)
		want, err := json.Marshal(map[string]any{name: value, "ok": true})
		require.NoError(t, err)
		if name != "ok" {
			require.JSONEq(t, string(want), string(encoded))
		}
	})
}

func TestEntityEncode_ReplacesInvalidUTF8(t *testing.T) {
	t.Parallel()
	encoded, err := entity{"a": "x\xffy"}.encode()
	require.NoError(t, err)
	require.JSONEq(t, `{"a":"x`+"\ufffd"+`y"}`, string(encoded))
}
