package settings

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// entityName matches the names of Service Bus queues and topics. A URL does not
// match, so no message leaves the app's namespace.
// Source: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftservicebus
var entityName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._/-]{0,258}[A-Za-z0-9])?$`)

// checkQueues checks the queues and topics of notices and replies.
func (s Settings) checkQueues() error {
	var failures []error
	if s.Notices != "" {
		failures = append(failures, checkEntity("AZBACKUPFLOW_NOTICES", s.Notices))
	}
	for _, name := range s.ReplyQueues {
		failures = append(failures, checkEntity("AZBACKUPFLOW_REPLY_QUEUES", name))
	}
	return errors.Join(failures...)
}

// checkEntity rejects the app's own queues, because notices there would be
// read as requests or wake-ups.
func checkEntity(setting, name string) error {
	own := slices.ContainsFunc([]string{RequestsQueue, StepsQueue, RejectedQueue}, func(q string) bool { return strings.EqualFold(q, name) })
	if own || !entityName.MatchString(name) {
		return fmt.Errorf("settings: %s names %q; set the name of another queue or topic in the app's Service Bus namespace", setting, name)
	}
	return nil
}
