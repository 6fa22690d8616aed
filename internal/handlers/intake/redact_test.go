package intake

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The search for the parts that a pattern needs hides no secret: texts of random
// fragments are redacted as if each pattern were applied to them.
func TestRedact_SkipsNoPatternThatMatches(t *testing.T) {
	t.Parallel()
	fragments := []string{
		"password", "PASSWD", "passphrase", "Pwd", "secret", "sas_token", "SasToken", "shared_access_signature", "SharedAccessSignature", "accountKey",
		"access-key", "API_KEY", "accessToken", "refresh_token", "sig", "\u017fig", "pa\u017fsword", "\u212aey", "api\u212aey", `"`, `\"`, `\\\"`, `\\\\\\\"`, ":", " ", "=", `\u003d`, `\\u003d`,
		"%3d", "&", `\u0026`, "%26", "http://", "HTTPS://", `https:\/\/`, "?", `\u003f`, "%3F", "@", "/", "host.example", "Bearer ", "bearer\t", "eyJ", "a.b.c", ".",
		";", "AccountKey=", "SharedAccessKey", "x", "S3cr3t", "\n", "\\n", "<", "'", ",", "{", "}", "7",
	}
	r := rand.New(rand.NewPCG(7, 13))
	matched := make([]int, len(secrets))
	for range 20_000 {
		var text strings.Builder
		for range 1 + r.IntN(9) {
			text.WriteString(fragments[r.IntN(len(fragments))])
		}
		want := text.String()
		for i, s := range secrets {
			redacted := s.pattern.ReplaceAllString(want, s.instead)
			if redacted != want {
				matched[i]++
			}
			want = redacted
		}
		require.Equal(t, want, Redact(text.String()), "%q", text.String())
	}
	for i, n := range matched {
		require.NotZero(t, n, "pattern %d never matched", i)
	}
}
