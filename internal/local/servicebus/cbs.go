package servicebus

import (
	"fmt"
	"net/http"

	"azbackupflow/internal/local/servicebus/wire"
)

// putToken answers a put-token request to $cbs (claims-based security). An unknown
// entity must be reported here, with 404: otherwise azservicebus does not return
// CodeNotFound (errors.go).
func (s *session) putToken(in *incomingLink, m *partial) {
	request, err := wire.DecodeMessage(m.payload)
	if err != nil {
		s.rejectMessage(m, decodeError, err.Error())
		return
	}
	if !s.canReply(in, request, m) {
		return
	}
	s.respond(m, wire.Accepted{})
	s.reply(in, request, s.acceptToken(request))
}

func (s *session) acceptToken(request *wire.Message) outcome {
	property := func(name string) string {
		text, _ := wire.Text(request.ApplicationProperties.Get(name))
		return text
	}
	audience := property("name")
	if operation := property("operation"); operation != "put-token" {
		return outcome{status: http.StatusNotImplemented, text: fmt.Sprintf("The operation '%s' is not supported.", operation)}
	}
	if kind := property("type"); kind != "servicebus.windows.net:sastoken" {
		return outcome{status: http.StatusUnauthorized, text: fmt.Sprintf("Tokens of type '%s' are not supported.", kind)}
	}
	body, err := request.Value()
	token, isText := wire.Text(body)
	if err != nil || !isText {
		return outcome{status: http.StatusBadRequest, text: "The body is not a token."}
	}
	allowed, err := s.conn.broker.checkToken(systemClock{}.Now(), token, audience)
	if err != nil {
		return outcome{status: http.StatusUnauthorized, text: err.Error()}
	}
	n, _, found := s.conn.broker.find(audience)
	if !found {
		return outcome{
			status: http.StatusNotFound,
			text:   fmt.Sprintf("The messaging entity '%s' could not be found.", audience),
		}
	}
	s.conn.claims.add(n.path, allowed)
	return outcome{status: http.StatusAccepted, text: "Accepted"}
}
