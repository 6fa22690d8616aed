package storageproxy_test

import "time"

const (
	waitLimit = 30 * time.Second
	poll      = 5 * time.Millisecond
)
