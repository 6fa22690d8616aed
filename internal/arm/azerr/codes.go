package azerr

// Codes of failures that do not come from Azure.
const (
	// CodeTokenUnavailable: the credential returned no token; nothing was sent.
	CodeTokenUnavailable = "TokenUnavailable"
	// CodeConnectionFailed: no connection; nothing was sent.
	CodeConnectionFailed = "ConnectionFailed"
	// CodeNoAnswer: the request may have arrived, but no answer came.
	CodeNoAnswer = "NoAnswer"
	// CodeAnswerTooLarge: the answer exceeds the size limit.
	CodeAnswerTooLarge = "AnswerTooLarge"
	// CodeUnreadableAnswer: a 2xx answer whose body has an unexpected form.
	CodeUnreadableAnswer = "UnreadableAnswer"
	// CodeUntrustedPollHost: a poll URL or next link points to a host that is
	// not trusted.
	CodeUntrustedPollHost = "UntrustedPollHost"
	// CodeMalformedPollURL: a poll URL or next link is not a usable URL.
	CodeMalformedPollURL = "MalformedPollUrl"
	// CodeMalformedRequest: the request cannot be built.
	CodeMalformedRequest = "MalformedRequest"
	// CodeTooManyPages: a list has too many pages, or repeats one.
	CodeTooManyPages = "TooManyPages"
)
