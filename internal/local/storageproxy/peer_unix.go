//go:build unix

package storageproxy

import (
	"errors"
	"net"
	"syscall"
)

// peerClosed peeks at the socket. The end of the stream or a reset means that
// the peer has disconnected.
func peerClosed(c net.Conn) bool {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return false
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return true
	}
	gone := false
	err = raw.Control(func(fd uintptr) {
		var one [1]byte
		n, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		for errors.Is(err, syscall.EINTR) {
			n, _, err = syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		}
		gone = !errors.Is(err, syscall.EAGAIN) && n <= 0
	})
	return gone || err != nil
}
