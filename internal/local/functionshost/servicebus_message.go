package functionshost

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/google/uuid"
)

// neverExpires is the expiry that .NET reports for a message without a time to
// live.
var neverExpires = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// busClient describes the connection on which a message arrived.
type busClient struct {
	namespace  string
	identifier string
}

// fillMessage writes a Service Bus message into an invocation, as the host's
// Service Bus extension and its custom handler channel do together. It returns an
// error for a body that cannot be bound.
func fillMessage(i *invocation, client busClient, message *azservicebus.ReceivedMessage) error {
	body, err := messageBody(message)
	if err != nil {
		return err
	}
	setBody(i, body)
	if err := setClient(&i.metadata, client); err != nil {
		return err
	}
	return setProperties(&i.metadata, message)
}

// setBody writes the body. The members of a JSON object replace metadata later.
func setBody(i *invocation, body []byte) {
	if strings.EqualFold(i.function.Trigger.DataType, dataTypeBinary) {
		i.data.set(i.function.Trigger.Name, encodeBytes(body))
		return
	}
	i.merged = bodyText(body)
	i.data.set(i.function.Trigger.Name, encodeText(i.merged))
}

// setClient writes the objects of .NET that a custom handler cannot use.
func setClient(metadata *jsonObject, client busClient) error {
	for _, opaque := range []string{"MessageReceiver", "MessageSession", "MessageActions", "SessionActions", "ReceiveActions"} {
		metadata.set(opaque, json.RawMessage("{}"))
	}
	connection, err := encodeObject(struct {
		FullyQualifiedNamespace string
		IsClosed                bool
		TransportType           int
		Identifier              string
	}{client.namespace, false, 0, client.identifier})
	if err != nil {
		return err
	}
	metadata.set("Client", connection)
	return nil
}

// setProperties writes the message's properties.
func setProperties(metadata *jsonObject, message *azservicebus.ReceivedMessage) error {
	metadata.set("DeliveryCount", encodeNumber(int64(message.DeliveryCount)))
	setText(metadata, "DeadLetterSource", message.DeadLetterSource)
	token := uuid.UUID(message.LockToken).String()
	setText(metadata, "LockToken", &token)
	expires := neverExpires
	if message.ExpiresAt != nil {
		expires = *message.ExpiresAt
	}
	metadata.set("ExpiresAtUtc", encodeDateTime(expires))
	metadata.set("ExpiresAt", encodeDateTimeOffset(expires))
	if message.EnqueuedTime != nil {
		metadata.set("EnqueuedTimeUtc", encodeDateTime(*message.EnqueuedTime))
		metadata.set("EnqueuedTime", encodeDateTimeOffset(*message.EnqueuedTime))
	}
	setText(metadata, "MessageId", &message.MessageID)
	setText(metadata, "ContentType", message.ContentType)
	setText(metadata, "ReplyTo", message.ReplyTo)
	if message.SequenceNumber != nil {
		metadata.set("SequenceNumber", encodeNumber(*message.SequenceNumber))
	}
	setText(metadata, "To", message.To)
	setText(metadata, "Subject", message.Subject)
	setText(metadata, "Label", message.Subject)
	setText(metadata, "CorrelationId", message.CorrelationID)
	setText(metadata, "SessionId", message.SessionID)
	setText(metadata, "PartitionKey", message.PartitionKey)
	properties, err := encodeObject(applicationProperties(message.ApplicationProperties))
	if err != nil {
		return fmt.Errorf("message %s: %w", message.MessageID, err)
	}
	metadata.set("ApplicationProperties", properties)
	metadata.set("UserProperties", properties)
	return nil
}

// setText writes text. It omits empty text, as the host omits nulls.
func setText(metadata *jsonObject, name string, text *string) {
	if text != nil && *text != "" {
		metadata.set(name, encodeText(*text))
	}
}

// applicationProperties returns a message's properties as values for JSON.
func applicationProperties(properties map[string]any) map[string]any {
	out := make(map[string]any, len(properties))
	for name, value := range properties {
		if t, ok := value.(time.Time); ok {
			value = t.UTC().Format(time.RFC3339Nano)
		}
		out[name] = value
	}
	return out
}
