package servicebus

import "azbackupflow/internal/local/servicebus/wire"

// outcome is the answer to a request to $cbs or to a management node.
type outcome struct {
	status    int // as in HTTP
	text      string
	condition string     // the error condition; "": none
	body      wire.Value // nil: none
}

// reply sends the answer to a request over the link that it names, and returns
// the mark of what was written: 0 when it waits for credit.
func (s *session) reply(in *inbound, request *wire.Message, o outcome) (mark uint64) {
	out := s.replyLink(in, request.ReplyTo())
	if out == nil {
		s.conn.log.Warn("a request has no link for the reply", "reply-to", request.ReplyTo())
		return 0
	}
	payload := response(request, o).Append(nil)
	if out.credit == 0 || len(out.replies) > 0 {
		out.replies = append(out.replies, payload)
		return 0
	}
	return s.sendMessage(out, nil, payload)
}

// response makes the message. Both spellings of the status are written: each
// client reads the one or the other. The correlation id has the type that the
// message id had.
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

// replyLink finds the link for replies: the one whose address is the reply-to
// of the request, else one of that name (rhea gives no address), else any for
// the same node.
func (s *session) replyLink(in *inbound, replyTo string) *outbound {
	var named, fallback *outbound
	for _, out := range s.outbound {
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
