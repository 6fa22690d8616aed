package servicebus

import "azbackupflow/internal/local/fault"

// moments are the moments of one request at which the fault hook is called.
type moments struct {
	hook    fault.Hook // nil: none
	request fault.Request
}

// moments describes a request: the verb, the node and the ids of its messages. A
// request without a verb has no moments.
func (b *Broker) moments(verb string, n *node, detail string) moments {
	if b.fault == nil || verb == "" {
		return moments{}
	}
	return moments{b.fault, fault.Request{Service: "bus", Kind: verb + " " + n.path, Detail: detail}}
}

func (m moments) before() { m.hook.At(fault.Before, m.request) }
func (m moments) during() { m.hook.At(fault.During, m.request) }

// after waits until the answer, which ends at a mark of the write buffer, has been
// written.
func (m moments) after(out *writeBuffer, mark uint64) {
	if m.hook != nil {
		out.wait(mark)
		m.hook.At(fault.After, m.request)
	}
}
