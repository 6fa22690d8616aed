package functionshost

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

// Categories of the log lines that the real host writes during an invocation.
const (
	// categoryBus is the category of the host's Service Bus client.
	categoryBus = "Azure.Messaging.ServiceBus"
	// categoryFunction precedes the name of a function.
	categoryFunction = "Function."
	// categoryHandler is the category of the handler's output.
	categoryHandler = "Host.Function.Console"
)

// defaultCategory is the key in host.json of the level of all other categories.
const defaultCategory = "default"

// HostLine is a log line that the real host sends to Application Insights.
type HostLine struct {
	// Category is the logger's name. A prefix of it selects the level in host.json
	// (https://learn.microsoft.com/azure/azure-functions/configure-monitoring#configure-categories).
	Category string
	Level    slog.Level
	Text     string
}

// levelOff is above all levels: host.json's None.
const levelOff = slog.Level(100)

// hostLevels are the names of levels in host.json.
var hostLevels = map[string]slog.Level{ //nolint:gochecknoglobals // a constant table
	"trace": slog.LevelDebug - 4, "debug": slog.LevelDebug, "information": slog.LevelInfo,
	"warning": slog.LevelWarn, "error": slog.LevelError, "critical": slog.LevelError + 4, "none": levelOff,
}

// parseLevels reads logging.logLevel of host.json.
func parseLevels(named map[string]string) (map[string]slog.Level, error) {
	levels := map[string]slog.Level{defaultCategory: slog.LevelInfo}
	for category, name := range named {
		level, ok := hostLevels[strings.ToLower(name)]
		if !ok {
			return nil, fmt.Errorf("logging.logLevel.%s is %q; set Trace, Debug, Information, Warning, Error, Critical or None", category, name)
		}
		levels[category] = level
	}
	return levels, nil
}

// writes reports whether the levels let a line pass: the longest configured prefix of
// its category decides.
func writes(levels map[string]slog.Level, line HostLine) bool {
	decisive := defaultCategory
	for category := range levels {
		if category == defaultCategory || !strings.HasPrefix(line.Category, category) {
			continue
		}
		if decisive == defaultCategory || len(category) > len(decisive) {
			decisive = category
		}
	}
	return line.Level >= levels[decisive]
}

// logLine passes a line of the real host to Config.HostLines, if host.json lets it.
func (h *Host) logLine(line HostLine) {
	if h.hostLines != nil && writes(h.app.Host.LogLevels, line) {
		h.hostLines(line)
	}
}

// logExecuting logs the start of an invocation, as the real host does.
func (h *Host) logExecuting(i *invocation) {
	h.logLine(HostLine{categoryFunction + i.function.Name, slog.LevelInfo, fmt.Sprintf("Executing 'Functions.%s' (Reason='(null)', Id=%s)", i.function.Name, i.id)})
}

// logExecuted logs the end of an invocation.
func (h *Host) logExecuted(i *invocation, took time.Duration, err error) {
	level, result := slog.LevelInfo, "Succeeded"
	if err != nil {
		level, result = slog.LevelError, "Failed"
	}
	h.logLine(HostLine{
		categoryFunction + i.function.Name, level,
		fmt.Sprintf("Executed 'Functions.%s' (%s, Id=%s, Duration=%dms)", i.function.Name, result, i.id, took.Milliseconds()),
	})
}

// logTriggerDetails logs the properties of the message of an invocation.
func (h *Host) logTriggerDetails(i *invocation, m *azservicebus.ReceivedMessage) {
	h.logLine(HostLine{categoryFunction + i.function.Name, slog.LevelInfo, fmt.Sprintf(
		"Trigger Details: MessageId: %s, SequenceNumber: %d, DeliveryCount: %d, EnqueuedTimeUtc: %s, LockedUntilUtc: %s, SessionId: (null)",
		m.MessageID, value(m.SequenceNumber), m.DeliveryCount, value(m.EnqueuedTime).UTC().Format(time.RFC3339Nano), value(m.LockedUntil).UTC().Format(time.RFC3339Nano))})
}

// logClient logs lines of the Service Bus client about a message.
func (h *Host) logClient(m *azservicebus.ReceivedMessage, formats ...string) {
	lock := guid(m.LockToken)
	fill := strings.NewReplacer("{lock}", lock, "{number}", fmt.Sprint(value(m.SequenceNumber)))
	for _, format := range formats {
		h.logLine(HostLine{categoryBus, slog.LevelInfo, clientIdentifier + ": " + fill.Replace(format)})
	}
}

// clientIdentifier is an example of the name that the real host's client logs: a
// namespace and a GUID.
const clientIdentifier = "sb-azbackupflow-abcdefghijklm.servicebus.windows.net-f7c3bd89-4a8a-456b-8c48-096564f85330"

// linesBeforeMessage are the lines of the client until a message is processed.
func linesBeforeMessage() []string {
	return []string{
		"ReceiveBatchAsync start. MessageCount = 1",
		"ReceiveBatchAsync done. Received '1' messages. LockTokens = {lock}",
		"Processor RenewMessageLock start. MessageCount = 1, LockToken = {lock}",
		"User message handler start: Message: SequenceNumber: {number}, LockToken: {lock}",
	}
}

// The lines of the client after a message was processed.
const (
	lineAfterMessage     = "User message handler complete: Message: SequenceNumber: {number}, LockToken: {lock}"
	lineBeforeCompletion = "CompleteAsync start. MessageCount = 1, LockToken = {lock}"
	lineAfterCompletion  = "CompleteAsync done. LockToken = {lock}"
)

func guid(b [16]byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
