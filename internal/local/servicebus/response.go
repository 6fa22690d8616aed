package servicebus

import "azbackupflow/internal/local/servicebus/wire"

// outcome is the answer to a request to $cbs or to a management node.
type outcome struct {
	status    int // an HTTP status code
	text      string
	condition string     // the error condition; "": none
	body      wire.Value // nil: none
}

// canReply reports whether the link for the reply can take one more. Otherwise it
// rejects the request, which is not executed.
func (s *session) canReply(in *incomingLink, request *wire.Message, m *partial) bool {
	out := s.replyLink(in, request.ReplyTo())
	if out == nil || len(out.replies)+len(s.backlog) < maxWaitingReplies {
		return true
	}
	s.rejectMessage(m, "amqp:resource-limit-exceeded",
		"Too many replies wait for link credit or for the session window. Grant credit and receive them first.")
	return false
}

// reply sends the answer to a request on the link that the request names. It returns
// the mark of the written bytes, or 0 if the reply waits for credit.
func (s *session) reply(in *incomingLink, request *wire.Message, o outcome) (mark uint64) {
	out := s.replyLink(in, request.ReplyTo())
	if out == nil {
		s.conn.log.Warn("reply dropped: no link for it", "reply-to", request.ReplyTo())
		return 0
	}
	payload := response(request, o).Append(nil)
	if out.credit == 0 || len(out.replies) > 0 {
		out.replies = append(out.replies, payload)
		return 0
	}
	return s.sendMessage(out, nil, payload)
}

// response returns the message. It contains both spellings of the status, because
// each client reads only one of them. The correlation id has the type of the message
// id.
func response(request *wire.Message, o outcome) *wire.Message {
	status := wire.Int(o.status) //nolint:gosec // an HTTP status
	properties := wire.Map{
		{Key: wire.String("status-code"), Value: status},
		{Key: wire.String("statusCode"), Value: status},
		{Key: wire.String("status-description"), Value: wire.String(o.text)},
		{Key: wire.String("statusDescription"), Value: wire.String(o.text)},
	}
	if o.condition != "" {
		properties = append(properties,
			wire.Pair{Key: wire.String("error-condition"), Value: wire.Symbol(o.condition)},
			wire.Pair{Key: wire.String("errorCondition"), Value: wire.Symbol(o.condition)})
	}
	return wire.Response(request.MessageIDValue(), properties, o.body)
}

// replyLink returns the link for replies: the one whose address is the reply-to of
// the request, else one with that name (rhea sets no address), else any link to the
// same node.
func (s *session) replyLink(in *incomingLink, replyTo string) *outgoingLink {
	var named, fallback *outgoingLink
	for _, out := range s.outgoing {
		if out.service != in.service || out.node != in.node {
			continue
		}
		if replyTo != "" && out.replyTo == replyTo {
			return out
		}
		if replyTo != "" && out.name == replyTo {
			named = out
		}
		fallback = out
	}
	if named != nil {
		return named
	}
	return fallback
}
