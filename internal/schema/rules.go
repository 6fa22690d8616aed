package schema

// Matches returns a rule for a text that matches one of the patterns completely.
func Matches(patterns ...string) Object { return Object{"pattern": Whole(patterns...)} }

// OneOf returns a rule for a text that is one of the values.
func OneOf(values ...string) Object { return Object{"enum": values} }

// NotEmpty returns a rule for a text of at least one character.
func NotEmpty() Object { return Object{"minLength": 1} }

// Given returns a schema that holds if all of the fields are present.
func Given(names ...string) Object { return Object{"required": names} }

// Missing returns a schema that holds if none of the fields is present.
func Missing(names ...string) Object {
	return Object{"not": Object{"anyOf": Each(names...)}}
}

// Each returns one schema per field that holds if the field is present, for
// oneOf, anyOf and allOf.
func Each(names ...string) []Object {
	var all []Object
	for _, name := range names {
		all = append(all, Given(name))
	}
	return all
}

// Is returns a schema that holds if the field is present and has the value.
func Is(name string, v any) Object {
	return Object{"required": []string{name}, "properties": Object{name: Object{"const": v}}}
}
