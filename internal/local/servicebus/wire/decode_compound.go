package wire

import (
	"encoding/binary"
	"fmt"
)

// countOf splits the content of a compound value or an array into the element count
// and the rest. Constructors of the form 0xc_ and 0xe_ have a count of 1 byte, others
// of 4 bytes.
func countOf(code byte, c []byte) (count int, rest []byte, err error) {
	if code>>4 == 0xc || code>>4 == 0xe {
		if len(c) < 1 {
			return 0, nil, fmt.Errorf("%w: truncated count", ErrMalformed)
		}
		return int(c[0]), c[1:], nil
	}
	if len(c) < 4 {
		return 0, nil, fmt.Errorf("%w: truncated count", ErrMalformed)
	}
	n := binary.BigEndian.Uint32(c)
	// This is far above the number of elements in any frame or message, and fits an
	// int on all platforms.
	if n > 1<<28 {
		return 0, nil, fmt.Errorf("%w: a count of %d", ErrMalformed, n)
	}
	return int(n), c[4:], nil
}

// elementCount is countOf for a list or a map. It rejects counts that exceed the
// content: an element takes at least one byte.
func elementCount(code byte, c []byte) (count int, rest []byte, err error) {
	count, rest, err = countOf(code, c)
	if err == nil && count > len(rest) {
		err = fmt.Errorf("%w: %d elements in %d bytes", ErrMalformed, count, len(rest))
	}
	return count, rest, err
}

func decodeList(code byte, c []byte, depth int) (Value, error) {
	count, c, err := elementCount(code, c)
	if err != nil {
		return nil, err
	}
	list := make(List, count)
	for i := range list {
		if list[i], c, err = decodeValue(c, depth+1); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func decodeMap(code byte, c []byte, depth int) (Value, error) {
	count, c, err := elementCount(code, c)
	if err != nil {
		return nil, err
	}
	if count%2 != 0 {
		return nil, fmt.Errorf("%w: a map of %d elements", ErrMalformed, count)
	}
	m := make(Map, count/2)
	for i := range m {
		if m[i].Key, c, err = decodeValue(c, depth+1); err != nil {
			return nil, err
		}
		if m[i].Value, c, err = decodeValue(c, depth+1); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// decodeArray decodes the elements of an array. The caller sets its encoding.
func decodeArray(code byte, c []byte, depth int) (Array, error) {
	count, c, err := countOf(code, c)
	if err != nil {
		return Array{}, err
	}
	// Descriptors precede the constructor, once for all elements.
	var descriptors []Value
	for len(c) > 0 && c[0] == codeDescribed {
		var d Value
		if d, c, err = decodeValue(c[1:], depth+1+len(descriptors)); err != nil {
			return Array{}, err
		}
		descriptors = append(descriptors, d)
	}
	if len(c) == 0 {
		return Array{}, fmt.Errorf("%w: an array without a constructor", ErrMalformed)
	}
	element, c := c[0], c[1:]
	if element>>4 == 0x4 {
		if count > maxEmptyElements {
			return Array{}, fmt.Errorf("%w: an array of %d empty elements", ErrMalformed, count)
		}
	} else if count > len(c) {
		return Array{}, fmt.Errorf("%w: an array of %d elements in %d bytes", ErrMalformed, count, len(c))
	}
	a := Array{Elements: make([]Value, count)}
	for i := range a.Elements {
		var content []byte
		if content, c, err = contentOf(element, c); err != nil {
			return Array{}, err
		}
		v, err := decodeContent(element, content, depth+1+len(descriptors))
		if err != nil {
			return Array{}, err
		}
		for j := len(descriptors) - 1; j >= 0; j-- {
			v = Described{Descriptor: descriptors[j], Value: v}
		}
		a.Elements[i] = v
	}
	return a, nil
}

// decodeNestedArray decodes an array that is an element of an array. It has no
// constructor of its own, so its encoding is composed.
func decodeNestedArray(code byte, c []byte, depth int) (Value, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: values nest deeper than %d", ErrMalformed, maxDepth)
	}
	a, err := decodeArray(code, c, depth)
	if err != nil {
		return nil, err
	}
	b := []byte{code}
	if code == codeArray8 {
		b = append(b, length8(len(c)))
	} else {
		b = binary.BigEndian.AppendUint32(b, length32(len(c)))
	}
	a.encoded = append(b, c...)
	return a, nil
}
