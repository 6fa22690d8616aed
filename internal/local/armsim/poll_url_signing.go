package armsim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Sizes of the parts of the signature in recorded poll URLs.
const (
	certificateChars   = 2615 // c, a certificate
	signatureBytes     = 256  // s, 342 characters
	ticksAtUnixEpoch   = 621355968000000000
	ticksPerSecond     = 10_000_000
	nanosecondsPerTick = 100
)

// signer signs poll URLs and checks that they return unchanged.
type signer struct {
	key         []byte
	certificate string
}

func newSigner(r *random) *signer {
	return &signer{key: r.bytes(32), certificate: ("MII" + r.text(certificateChars))[:certificateChars]}
}

// sign returns the rest of the query of a poll URL: &t=&c=&s=&h=. The signature
// covers the query before it (api-version=…).
func (s *signer) sign(path, query string, now time.Time) string {
	t := strconv.FormatInt(now.Unix()*ticksPerSecond+int64(now.Nanosecond()/nanosecondsPerTick)+ticksAtUnixEpoch, 10)
	sig := s.signature(path, query, t)
	return "&t=" + t + "&c=" + s.certificate + "&s=" + sig + "&h=" + s.hash(sig)
}

// signature returns text that is as long as an RSA signature, and as hard to
// guess.
func (s *signer) signature(path, query, t string) string {
	sum := make([]byte, 0, signatureBytes)
	for n := range byte(signatureBytes / sha256.Size) {
		m := hmac.New(sha256.New, s.key)
		m.Write([]byte{n})
		m.Write([]byte(path + "?" + query + "&" + t))
		sum = m.Sum(sum)
	}
	return urlText(sum)
}

func (s *signer) hash(signature string) string {
	m := hmac.New(sha256.New, s.key)
	m.Write([]byte(signature))
	return urlText(m.Sum(nil))
}

// check rejects a poll whose path, query or signature has changed, and, if
// signatures are required, a poll without one. Azure's code for a changed
// signature is not known; see the package comment.
func (s *signer) check(u *url.URL, requireSigned bool) *armError {
	q := u.Query()
	t, c, sig, h := q.Get("t"), q.Get("c"), q.Get("s"), q.Get("h")
	if !requireSigned && !q.Has("t") && !q.Has("c") && !q.Has("s") && !q.Has("h") {
		return nil
	}
	for _, p := range []string{"t", "c", "s", "h"} {
		if len(q[p]) != 1 {
			return pollRejected("the query parameter '" + p + "' is missing or present twice")
		}
	}
	// The tail is compared as text: a client must not reorder or re-encode it.
	tail := "&t=" + t + "&c=" + c + "&s=" + sig + "&h=" + h
	head, ok := cutTail(u.RawQuery, tail)
	if !ok {
		return pollRejected("the query differs from the query of the issued URL")
	}
	want := s.signature(u.Path, head, t)
	if c != s.certificate || !hmac.Equal([]byte(sig), []byte(want)) || !hmac.Equal([]byte(h), []byte(s.hash(want))) {
		return pollRejected("the signature does not belong to this URL: it is valid only for the issued URL with its api-version")
	}
	return nil
}

func cutTail(s, tail string) (string, bool) {
	if len(s) < len(tail) || s[len(s)-len(tail):] != tail {
		return s, false
	}
	return s[:len(s)-len(tail)], true
}

func pollRejected(why string) *armError {
	return &armError{status: http.StatusForbidden, code: "AuthorizationFailed", message: "The operation's status cannot be read: " + why + "."}
}

// urlText encodes bytes in the base64 of poll URLs.
func urlText(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
