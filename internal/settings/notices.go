package settings

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// entityName is what Service Bus takes as the name of a queue or topic: no URL,
// so that nothing is sent to another namespace.
// Source: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftservicebus
var entityName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._/-]{0,258}[A-Za-z0-9])?$`) //nolint:gochecknoglobals // a compiled constant

// checkNotices looks at where notices and answers may go.
func (s Settings) checkNotices() error {
	check := func(setting, name string) error {
		own := slices.ContainsFunc([]string{RequestsQueue, StepsQueue, RejectedQueue}, func(q string) bool { return strings.EqualFold(q, name) })
		if own || !entityName.MatchString(name) {
			return fmt.Errorf("settings: %s names %q, want a queue or topic of the app's Service Bus namespace, by its name, that is none of the app's own", setting, name)
		}
		return nil
	}
	if s.Notices != "" {
		if err := check("AZBACKUPFLOW_NOTICES", s.Notices); err != nil {
			return err
		}
	}
	for _, name := range s.ReplyQueues {
		if err := check("AZBACKUPFLOW_REPLY_QUEUES", name); err != nil {
			return err
		}
	}
	return nil
}
