package armsim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// claims are the claims of an access token, as in Azure's tokens.
type claims struct {
	Audience string `json:"aud"`
	Issuer   string `json:"iss"`
	Tenant   string `json:"tid"`
	Client   string `json:"appid"`
	Expires  int64  `json:"exp"`
}

// expires returns the expiry time of the token.
func (c claims) expires() time.Time { return time.Unix(c.Expires, 0) }

// newToken returns the claims as a JSON Web Token.
//
// All simulators sign with the same key, so that a token outlives the simulator
// that issued it: azidentity keeps one token per process for a day, and the
// next simulator must accept it. The key is not a secret: it opens only
// simulators, and only from their own machine.
func newToken(c claims) string {
	head := urlText(mustJSON(map[string]string{"typ": "JWT", "alg": "HS256"})) + "." + urlText(mustJSON(c))
	return head + "." + tokenSignature(head)
}

// readToken parses a token that a simulator issued.
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
