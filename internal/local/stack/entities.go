package stack

import (
	"time"

	"azbackupflow/internal/local/servicebus"
	"azbackupflow/internal/settings"
)

// Subscription is the name of the subscription of each topic.
const Subscription = "all"

const (
	day              = 24 * time.Hour
	lockDuration     = 5 * time.Minute
	minLock          = 10 * time.Second
	maxDeliveryCount = 10
	messageTTL       = 14 * day
	// appDuplicateWindow and noticeDuplicateWindow are the windows of duplicate
	// detection of the app's own queues, and of those that it sends notices to.
	appDuplicateWindow    = 10 * time.Minute
	noticeDuplicateWindow = day
)

// queues returns the queues of the app and further ones, with the properties that
// infra/app/service-bus.bicep sets in Azure and the engine relies on. Further queues are
// like those for replies.
func queues(speed float64, further []string) []servicebus.QueueConfig {
	var all []servicebus.QueueConfig
	for _, name := range []string{settings.RequestsQueue, settings.StepsQueue, settings.RejectedQueue} {
		all = append(all, servicebus.QueueConfig{
			Name: name, LockDuration: lock(speed), MaxDeliveryCount: maxDeliveryCount, DefaultTTL: messageTTL,
			DeadLetterOnExpiration:   name != settings.RejectedQueue,
			DuplicateDetectionWindow: appDuplicateWindow,
		})
	}
	for _, name := range further {
		all = append(all, servicebus.QueueConfig{
			Name: name, LockDuration: lock(speed), MaxDeliveryCount: maxDeliveryCount, DefaultTTL: messageTTL,
			DuplicateDetectionWindow: noticeDuplicateWindow,
		})
	}
	return all
}

// topics returns topics with the properties of the one for notices.
func topics(speed float64, names []string) []servicebus.TopicConfig {
	var all []servicebus.TopicConfig
	for _, name := range names {
		all = append(all, servicebus.TopicConfig{
			Name: name, DefaultTTL: messageTTL, DuplicateDetectionWindow: noticeDuplicateWindow,
			Subscriptions: []servicebus.SubscriptionConfig{{
				Name: Subscription, LockDuration: lock(speed), MaxDeliveryCount: maxDeliveryCount,
			}},
		})
	}
	return all
}

// lock returns the lock duration. It is divided by the speed factor, because the host
// renews locks.
func lock(speed float64) time.Duration {
	return max(time.Duration(float64(lockDuration)/speed), minLock)
}
