package filter

import (
	"fmt"
	"reflect"
	"time"
)

// ValueOf converts a Go value of a configuration to the types that filters compare.
func ValueOf(v any) (any, error) {
	if at, isTime := v.(time.Time); isTime {
		return at.UTC(), nil
	}
	r := reflect.ValueOf(v)
	switch {
	case r.Kind() == reflect.String:
		return r.String(), nil
	case r.Kind() == reflect.Bool:
		return r.Bool(), nil
	case r.CanInt():
		return r.Int(), nil
	case r.CanUint() && r.Uint() <= 1<<63-1:
		return int64(r.Uint()), nil //nolint:gosec // G115: checked above
	case r.CanFloat():
		return r.Float(), nil
	}
	return nil, fmt.Errorf("%v is a %T; want text, a number, a boolean or a time", v, v)
}
