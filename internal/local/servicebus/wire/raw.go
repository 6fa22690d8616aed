package wire

import (
	"fmt"
	"strings"
)

// RawList is a list whose elements stay encoded, so that the broker forwards elements
// that it does not interpret unchanged.
type RawList []Raw

// RawMap is a map with text keys whose values stay encoded.
type RawMap []RawPair

// RawPair is one entry of a RawMap. If Symbolic is true, the key is a symbol.
type RawPair struct {
	Key      string
	Symbolic bool
	Value    Raw
}

// cut returns the encoding of the value at the start of b. It reads only the size of
// the value.
func cut(b []byte, depth int) (value Raw, rest []byte, err error) {
	if depth > maxDepth {
		return nil, nil, fmt.Errorf("%w: values nest deeper than %d", ErrMalformed, maxDepth)
	}
	if len(b) == 0 {
		return nil, nil, fmt.Errorf("%w: missing value", ErrMalformed)
	}
	if b[0] == codeDescribed {
		if _, rest, err = cut(b[1:], depth+1); err == nil {
			_, rest, err = cut(rest, depth+1)
		}
	} else {
		_, rest, err = contentOf(b[0], b[1:])
	}
	if err != nil {
		return nil, nil, err
	}
	n := len(b) - len(rest)
	return Raw(b[:n:n]), rest, nil
}

func decodeRawList(b Raw) (RawList, error) {
	if len(b) == 0 {
		return nil, fmt.Errorf("%w: missing list", ErrMalformed)
	}
	content, _, err := contentOf(b[0], b[1:])
	if err != nil {
		return nil, err
	}
	switch b[0] {
	case codeList0:
		return nil, nil
	case codeList8, codeList32:
	default:
		return nil, fmt.Errorf("%w: 0x%02x instead of a list", ErrMalformed, b[0])
	}
	count, content, err := elementCount(b[0], content)
	if err != nil {
		return nil, err
	}
	list := make(RawList, count)
	for i := range list {
		if list[i], content, err = cut(content, 0); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func decodeRawMap(b Raw) (RawMap, error) {
	if len(b) == 0 {
		return nil, fmt.Errorf("%w: missing map", ErrMalformed)
	}
	content, _, err := contentOf(b[0], b[1:])
	if err != nil {
		return nil, err
	}
	if b[0] != codeMap8 && b[0] != codeMap32 {
		return nil, fmt.Errorf("%w: 0x%02x instead of a map", ErrMalformed, b[0])
	}
	count, content, err := elementCount(b[0], content)
	if err != nil {
		return nil, err
	}
	if count%2 != 0 {
		return nil, fmt.Errorf("%w: a map of %d elements", ErrMalformed, count)
	}
	m := make(RawMap, count/2)
	for i := range m {
		var key Value
		if key, content, err = decodeValue(content, 0); err != nil {
			return nil, err
		}
		text, ok := Text(key)
		if !ok {
			return nil, fmt.Errorf("%w: a map key that is not text", ErrMalformed)
		}
		_, symbolic := key.(Symbol)
		m[i] = RawPair{Key: text, Symbolic: symbolic}
		if m[i].Value, content, err = cut(content, 0); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Get returns the value of a key, or nil if there is none that can be decoded.
func (m RawMap) Get(key string) Value {
	return m.find(func(k string) bool { return k == key })
}

// GetFold is Get with a key in any case.
func (m RawMap) GetFold(key string) Value {
	return m.find(func(k string) bool { return strings.EqualFold(k, key) })
}

func (m RawMap) find(matches func(key string) bool) Value {
	for _, p := range m {
		if !matches(p.Key) {
			continue
		}
		v, _, err := Decode(p.Value)
		if err != nil {
			return nil
		}
		return v
	}
	return nil
}

// Without returns a copy without some keys.
func (m RawMap) Without(keys ...string) RawMap {
	out := make(RawMap, 0, len(m)+len(keys))
next:
	for _, p := range m {
		for _, k := range keys {
			if p.Key == k {
				continue next
			}
		}
		out = append(out, p)
	}
	return out
}

// Merged returns a copy with the entries of a map added or replaced, under string keys.
func (m RawMap) Merged(entries Map) RawMap {
	out := m.Without()
	for _, e := range entries {
		key, ok := Text(e.Key)
		if !ok {
			continue
		}
		out = append(out.Without(key), RawPair{Key: key, Value: Append(nil, e.Value)})
	}
	return out
}

// with returns the map with one more entry, whose key is a symbol.
func (m RawMap) with(key string, v Value) RawMap {
	return append(m, RawPair{Key: key, Symbolic: true, Value: Append(nil, v)})
}

func (m RawMap) appendTo(b []byte) []byte {
	b, start := openCompound(b, codeMap32, 2*len(m))
	for _, p := range m {
		if p.Symbolic {
			b = Symbol(p.Key).appendTo(b)
		} else {
			b = String(p.Key).appendTo(b)
		}
		b = p.Value.appendTo(b)
	}
	return closeCompound(b, start)
}

func (l RawList) appendTo(b []byte) []byte {
	if len(l) == 0 {
		return append(b, codeList0)
	}
	b, start := openCompound(b, codeList32, len(l))
	for _, e := range l {
		b = e.appendTo(b)
	}
	return closeCompound(b, start)
}
