package servicebus

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/stretchr/testify/require"
)

func TestQueue_UnknownIsNotFound(t *testing.T) {
	t.Parallel()
	client := connect(t, startBroker(t, Config{}))
	requireCode(t, azservicebus.CodeNotFound, newSender(t, client, "nowhere").SendMessage(within(t), message("a"), nil))
	_, err := newReceiver(t, client, "nowhere").ReceiveMessages(within(t), 1, nil)
	requireCode(t, azservicebus.CodeNotFound, err)
	subscriber, err := client.NewReceiverForSubscription("topic", "subscription", nil)
	require.NoError(t, err)
	_, err = subscriber.ReceiveMessages(within(t), 1, nil)
	requireCode(t, azservicebus.CodeNotFound, err)
}

func TestToken_WrongKeyIsRejected(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{KeyName: "me", Key: "secret"})
	for _, wrong := range []string{
		strings.Replace(b.ConnectionString(), "secret", "guess", 1),
		strings.Replace(b.ConnectionString(), "=me;", "=you;", 1),
	} {
		client, err := azservicebus.NewClientFromConnectionString(wrong, clientOptions())
		require.NoError(t, err)
		err = newSender(t, client, "steps").SendMessage(within(t), message("a"), nil)
		requireCode(t, azservicebus.CodeUnauthorizedAccess, err)
		require.NoError(t, client.Close(within(t)))
	}
	require.Empty(t, b.Messages("steps"))
}

func TestSessions_AreRejected(t *testing.T) {
	t.Parallel()
	client := connect(t, startBroker(t, Config{}))
	_, err := client.AcceptSessionForQueue(within(t), "steps", "session", nil)
	require.ErrorContains(t, err, "does not support sessions")
}

func sign(key, keyName, resource string, expires time.Time) string {
	escaped, se := strings.ToLower(url.QueryEscape(resource)), fmt.Sprint(expires.Unix())
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(escaped + "\n" + se))
	signature := url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return fmt.Sprintf("SharedAccessSignature sr=%s&sig=%s&se=%s&skn=%s", escaped, signature, se, keyName)
}

func TestToken_MustBeSignedUnexpiredAndForTheEntity(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{KeyName: "me", Key: "secret"})
	now := newManualClock().Now()
	later := now.Add(time.Hour)
	const steps = "amqp://host:5672/Steps"
	for name, c := range map[string]struct{ token, problem string }{
		"good":                {sign("secret", "me", steps, later), ""},
		"for the namespace":   {sign("secret", "me", "sb://host:5672/", later), ""},
		"for a bare host":     {sign("secret", "me", "host:5672", later), ""},
		"other key":           {sign("guess", "me", steps, later), "InvalidSignature"},
		"other key name":      {sign("secret", "you", steps, later), "InvalidSignature"},
		"expired":             {sign("secret", "me", steps, now), "ExpiredToken: The token is expired. Expiration time:"},
		"for another queue":   {sign("secret", "me", "amqp://host:5672/step", later), "InvalidAudience"},
		"changed expiry":      {strings.Replace(sign("secret", "me", steps, now), "&se=", "&se=9", 1), "InvalidSignature"},
		"not a signature":     {"Bearer x", "MalformedToken"},
		"empty":               {"SharedAccessSignature ", "InvalidSignature"},
		"unescapable":         {"SharedAccessSignature sig=%zz", "InvalidSignature"},
		"expiry not a number": {signText("secret", "me", steps, "soon"), "MalformedToken"},
	} {
		allowed, err := b.checkToken(now, c.token, "amqp://host:5672/steps/$management")
		if c.problem != "" {
			require.ErrorContains(t, err, c.problem, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, later.Unix(), allowed.until.Unix(), name)
		require.Equal(t, rights{send: true, listen: true}, allowed.rights, name)
	}
}

func signText(key, keyName, resource, expiry string) string {
	escaped := url.QueryEscape(resource)
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(escaped + "\n" + expiry))
	signature := url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return fmt.Sprintf("SharedAccessSignature sr=%s&sig=%s&se=%s&skn=%s", escaped, signature, expiry, keyName)
}

func TestClaims_CoverAPathAndItsChildrenUntilExpiry(t *testing.T) {
	t.Parallel()
	now := newManualClock().Now()
	c := &claims{}
	require.False(t, c.rights(now, "steps").any())
	c.add("Steps", claim{rights{send: true}, now.Add(time.Minute)})
	require.Equal(t, rights{send: true}, c.rights(now, "steps"))
	require.Equal(t, rights{send: true}, c.rights(now, "steps/$DeadLetterQueue"))
	require.False(t, c.rights(now, "steps2").any())
	require.False(t, c.rights(now.Add(time.Minute), "steps").any())
	c.add("", claim{rights{listen: true}, now.Add(time.Minute)})
	require.Equal(t, rights{send: true, listen: true}, c.rights(now, "steps"), "claims add up")
}
