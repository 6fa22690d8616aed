package armsim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// claims are what an access token says, as in Azure's own.
type claims struct {
	Audience string `json:"aud"`
	Issuer   string `json:"iss"`
	Tenant   string `json:"tid"`
	Client   string `json:"appid"`
	Expires  int64  `json:"exp"`
}

// expires is when the token stops to be valid.
func (c claims) expires() time.Time { return time.Unix(c.Expires, 0) }

// newToken writes claims as a JSON Web Token.
//
// Tokens are signed with a key that is the same everywhere: a client's token
// outlives the simulator that issued it (azidentity keeps one per process and
// uses it for a day), and the next simulator has to take it. It is no secret:
// it opens nothing but simulators, and those only from their own machine.
func newToken(c claims) string {
	head := urlText(mustJSON(map[string]string{"typ": "JWT", "alg": "HS256"})) + "." + urlText(mustJSON(c))
	return head + "." + tokenSignature(head)
}

// readToken reads a token that a simulator wrote.
func readToken(text string) (claims, bool) {
	n := strings.LastIndex(text, ".")
	if n < 0 || !hmac.Equal([]byte(text[n+1:]), []byte(tokenSignature(text[:n]))) {
		return claims{}, false
	}
	_, body, _ := strings.Cut(text[:n], ".")
	b, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		return claims{}, false
	}
	var c claims
	if err := json.Unmarshal(b, &c); err != nil {
		return claims{}, false
	}
	return c, true
}

func tokenSignature(head string) string {
	m := hmac.New(sha256.New, []byte("tokens of the local ARM simulator"))
	m.Write([]byte(head))
	return urlText(m.Sum(nil))
}
