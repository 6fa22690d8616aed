package api

// Started is the response to a request: the operation of its flow and key, and
// whether the request created it.
type Started struct {
	Operation
	// Created reports that the request started something. It is false if the key
	// belongs to an earlier request.
	Created bool `json:"created"`
}
