package customhandler

import (
	"bytes"
	"maps"
	"net/http"
)

// responseBuffer holds the response of an HTTP function until the function returns.
// A function that is overdue, or that panics, leaves no half-written response.
type responseBuffer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newResponseBuffer() *responseBuffer {
	return &responseBuffer{header: http.Header{}}
}

// Header implements http.ResponseWriter.
func (b *responseBuffer) Header() http.Header { return b.header }

// WriteHeader keeps the first final status.
func (b *responseBuffer) WriteHeader(status int) {
	if b.status == 0 && status >= http.StatusOK {
		b.status = status
	}
}

// Write sets the status 200 if WriteHeader was not called.
func (b *responseBuffer) Write(p []byte) (int, error) {
	b.WriteHeader(http.StatusOK)
	return b.body.Write(p)
}

// code returns the status of the response.
func (b *responseBuffer) code() int {
	if b.status == 0 {
		return http.StatusOK
	}
	return b.status
}

// sendTo writes the response to the host.
func (b *responseBuffer) sendTo(w http.ResponseWriter) error {
	maps.Copy(w.Header(), b.header)
	w.WriteHeader(b.code())
	_, err := w.Write(b.body.Bytes())
	return err
}
