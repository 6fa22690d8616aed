package azerr

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRedact_RemovesSecrets(t *testing.T) {
	t.Parallel()
	const header, claims = "eyJhbGciOiJSUzI1NiJ9", "eyJzdWIiOiIxIn0"
	for in, want := range map[string]string{
		"Authorization: Bearer abc.def":     "Authorization: Bearer ***",
		"authorization: bearer abc.def":     "authorization: Bearer ***",
		"BEARER  abc-1_2~3+4/5=":            "Bearer ***",
		"bearer\tabc":                       "Bearer ***",
		"the forbearer abc":                 "the forbearer abc",
		"t " + header + "." + claims + ".c": "t ***",
		"t " + header + "." + claims + ".":  "t ***",
		"t " + header + "." + claims:        "t ***",
		"x=" + header + "." + claims + ";y": "x=***;y",
		"https://h/a?sig=s&t=1 end":         "https://h/a end",
		"http://h/a?sig=s":                  "http://h/a",
		"HTTPS://h/a?sig=s":                 "HTTPS://h/a",
		"Https://h/a?sig=s":                 "Https://h/a",
		"('https://h/a?sig=s')":             "('https://h/a')",
		"https://h?x=1,https://k?y=2":       "https://h",
		"https://h/a https://k/b?y=2":       "https://h/a https://k/b",
		"why? because":                      "why? because",
		"two\nlines\x00":                    "two lines\x00",
	} {
		require.Equal(t, want, Redact(in), in)
	}
}
