//go:build !unix

package tableproxy

import "net"

// peerClosed cannot tell here: the request's context has to do.
func peerClosed(net.Conn) bool { return false }
