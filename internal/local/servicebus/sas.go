package servicebus

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

var errSignature = errors.New("InvalidSignature: The token has an invalid signature.")

// checkToken verifies a shared access signature for an audience and returns what it
// allows. Learn describes the format ("Service Bus access control with Shared Access
// Signatures"): the key signs the escaped resource and the expiry, each on one line.
// Clients see the text of an error.
func (b *Broker) checkToken(now time.Time, token, audience string) (claim, error) {
	fields, err := tokenFields(token)
	if err != nil {
		return claim{}, err
	}
	key, err := b.signedBy(fields)
	if err != nil {
		return claim{}, err
	}
	seconds, err := strconv.ParseInt(fields["se"], 10, 64)
	if err != nil {
		return claim{}, errors.New("MalformedToken: The expiry of the token is not a number.")
	}
	expires := time.Unix(seconds, 0)
	if !expires.After(now) {
		return claim{}, fmt.Errorf("ExpiredToken: The token is expired. Expiration time: '%s'.", expires.UTC().Format(time.RFC3339))
	}
	resource, err := url.QueryUnescape(fields["sr"])
	if err != nil || !covers(resourcePath(resource), entityPath(audience)) {
		return claim{}, errors.New("InvalidAudience: The authorization header contains a token for another resource.")
	}
	return claim{rights{send: key.Send, listen: key.Listen}, expires}, nil
}

// signedBy returns the key that signed a token.
func (b *Broker) signedBy(fields map[string]string) (AccessKey, error) {
	name, err := url.QueryUnescape(fields["skn"])
	if err != nil {
		return AccessKey{}, errSignature
	}
	text, err := url.QueryUnescape(fields["sig"])
	if err != nil {
		return AccessKey{}, errSignature
	}
	signature, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return AccessKey{}, errSignature
	}
	for _, k := range b.keys {
		if k.Name != name {
			continue
		}
		mac := hmac.New(sha256.New, []byte(k.Key))
		mac.Write([]byte(fields["sr"] + "\n" + fields["se"]))
		if hmac.Equal(signature, mac.Sum(nil)) {
			return k, nil
		}
	}
	return AccessKey{}, errSignature
}

// resourcePath returns the path of the resource that a token is for. The scheme is
// optional, the host is not: "host" alone is the whole namespace.
func resourcePath(resource string) string {
	if _, rest, ok := strings.Cut(resource, "://"); ok {
		resource = rest
	}
	_, path, _ := strings.Cut(resource, "/")
	return strings.Trim(path, "/")
}

func tokenFields(token string) (map[string]string, error) {
	rest, ok := strings.CutPrefix(token, "SharedAccessSignature ")
	if !ok {
		return nil, errors.New("MalformedToken: The token is not a shared access signature.")
	}
	fields := make(map[string]string)
	for pair := range strings.SplitSeq(rest, "&") {
		key, value, _ := strings.Cut(pair, "=")
		fields[key] = value
	}
	return fields, nil
}
