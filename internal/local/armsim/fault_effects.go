package armsim

import (
	"net"
	"net/http"
	"time"
)

// rule is a Rule with its counters.
type rule struct {
	Rule
	seen, used int
}

// pickEffect returns the effect of the first rule that applies. The caller
// holds the lock.
func (s *Simulator) pickEffect(kind string, r *http.Request) Effect {
	for _, rule := range s.rules {
		if rule.Kind != "" && rule.Kind != kind || rule.Match != nil && !rule.Match(r) {
			continue
		}
		if rule.Times > 0 && rule.used >= rule.Times {
			continue
		}
		if rule.seen++; rule.seen <= rule.Skip {
			continue
		}
		rule.used++
		return rule.Effect
	}
	return Effect{}
}

// interfere applies the part of an effect that precedes serving. It reports
// whether the request is done.
func (s *Simulator) interfere(e Effect, w http.ResponseWriter, r *http.Request) (answer, bool) {
	switch e.kind {
	case effectResetBefore:
		reset(w)
		return answer{}, true
	case effectDelay:
		t := time.NewTimer(e.delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.Context().Done():
			return answer{}, true
		}
	case effectCallback:
		seen := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		if e.handler(seen, r) {
			return answer{status: seen.status}, true
		}
	case effectNone, effectAnswer, effectResetAfter, effectForeignStatus, effectExpiredStatus:
	}
	return answer{}, false
}

// reset closes the connection of the client with a TCP reset.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // no FIN: the peer sees ECONNRESET
	}
	_ = conn.Close()
}

// statusWriter remembers the status that a callback answers.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader remembers and sends the status.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap returns the ResponseWriter, so that http.ResponseController finds the
// connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
