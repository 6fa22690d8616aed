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

// checkToken verifies a shared access signature for an audience and returns
// when it expires. The form is that of Learn, "Service Bus access control with
// Shared Access Signatures": the key signs the escaped resource and the expiry,
// each on a line. The text of an error is what a client gets to see.
func (b *Broker) checkToken(now time.Time, token, audience string) (expires time.Time, err error) {
	fields, err := tokenFields(token)
	if err != nil {
		return time.Time{}, err
	}
	mac := hmac.New(sha256.New, []byte(b.key))
	mac.Write([]byte(fields["sr"] + "\n" + fields["se"]))
	signature, err := url.QueryUnescape(fields["sig"])
	if err != nil {
		return time.Time{}, errors.New("InvalidSignature: The token has an invalid signature.")
	}
	signed, err := base64.StdEncoding.DecodeString(signature)
	keyName, nameErr := url.QueryUnescape(fields["skn"])
	if err != nil || nameErr != nil || keyName != b.keyName || !hmac.Equal(signed, mac.Sum(nil)) {
		return time.Time{}, errors.New("InvalidSignature: The token has an invalid signature.")
	}
	seconds, err := strconv.ParseInt(fields["se"], 10, 64)
	if err != nil {
		return time.Time{}, errors.New("MalformedToken: The expiry of the token is no number.")
	}
	expires = time.Unix(seconds, 0)
	if !expires.After(now) {
		return time.Time{}, fmt.Errorf("ExpiredToken: The token is expired. Expiration time: '%s'.", expires.UTC().Format(time.RFC3339))
	}
	resource, err := url.QueryUnescape(fields["sr"])
	if err != nil || !covers(resourcePath(resource), entityPath(audience)) {
		return time.Time{}, errors.New("InvalidAudience: The authorization header contains a token for another resource.")
	}
	return expires, nil
}

// resourcePath is the path of the resource that a token is for. Its scheme may
// be missing, its host is not: "host" alone is a whole namespace.
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
		return nil, errors.New("MalformedToken: The token is no shared access signature.")
	}
	fields := make(map[string]string)
	for pair := range strings.SplitSeq(rest, "&") {
		key, value, _ := strings.Cut(pair, "=")
		fields[key] = value
	}
	return fields, nil
}
