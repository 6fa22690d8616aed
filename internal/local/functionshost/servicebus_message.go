package functionshost

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/google/uuid"
)

// neverExpires is when .NET says that a message without a time to live expires.
var neverExpires = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// busClient describes the connection that a message came over.
type busClient struct {
	namespace  string
	identifier string
}

// fillMessage writes a Service Bus message into an invocation, as the host's
// Service Bus extension and custom handler channel do together.
func fillMessage(i *invocation, client busClient, message *azservicebus.ReceivedMessage) error {
	metadata := &i.metadata
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

	if strings.EqualFold(i.function.Trigger.DataType, dataTypeBinary) {
		i.data.set(i.function.Trigger.Name, encodeBytes(message.Body))
		return nil
	}
	body := strings.ToValidUTF8(string(message.Body), "\uFFFD")
	i.data.set(i.function.Trigger.Name, encodeText(body))
	mergeBody(metadata, body)
	return nil
}

// setText writes a text, unless there is none: the host omits nulls.
func setText(metadata *document, name string, text *string) {
	if text != nil && *text != "" {
		metadata.set(name, encodeText(*text))
	}
}

// applicationProperties makes a message's properties fit for JSON.
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
