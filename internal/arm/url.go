package arm

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// encodePath percent-encodes a plain path segment by segment, as the SDKs do: a
// container's ; becomes %3B.
func encodePath(path string) (string, error) {
	if !strings.HasPrefix(path, "/") {
		return "", fmt.Errorf("path %q does not start with /", path)
	}
	segments := strings.Split(path[1:], "/")
	for i, s := range segments {
		// Such a segment comes from an invalid name. The path would address a
		// different resource than the one that was checked.
		if s == "" || s == "." || s == ".." {
			return "", fmt.Errorf("path %q has the segment %q", path, s)
		}
		segments[i] = url.PathEscape(s)
	}
	return "/" + strings.Join(segments, "/"), nil
}

// exactURL parses a URL so that it is sent byte for byte, in whatever encoding.
// Its errors do not show the URL, because it is signed.
func exactURL(raw string) (*url.URL, error) {
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		return nil, errors.New("the poll URL is not absolute")
	}
	for _, b := range []byte(raw) {
		if b <= ' ' || b == 0x7f {
			return nil, errors.New("the poll URL contains a space or control character")
		}
	}
	rest, _, _ = strings.Cut(rest, "#")
	slash := strings.IndexByte(rest, '/')
	if slash <= 0 || strings.Contains(rest[:slash], "?") {
		return nil, errors.New("the poll URL has no host or no path")
	}
	target := rest[slash:]
	u, err := url.Parse(raw)
	if err != nil {
		// A path or query that cannot be decoded is still sent unchanged. Only
		// scheme and host must be valid.
		u, err = url.Parse(scheme + "://" + rest[:slash])
	}
	if err != nil || u.Host == "" {
		return nil, errors.New("the poll URL cannot be parsed")
	}
	u.Fragment, u.RawFragment = "", ""
	if u.RequestURI() == target {
		return u, nil
	}
	path, query, hasQuery := strings.Cut(target, "?")
	u.Opaque, u.RawQuery, u.ForceQuery = path, query, hasQuery && query == ""
	if strings.HasPrefix(path, "//") || u.RequestURI() != target {
		return nil, errors.New("the poll URL cannot be sent unchanged")
	}
	return u, nil
}
