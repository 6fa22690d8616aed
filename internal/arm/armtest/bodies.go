package armtest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// bodies checks request bodies strictly. The schemas of an API description allow
// unknown fields and do not cover polymorphic objects.
type bodies struct {
	// kinds holds the schemas that derive from a base, by the base's reference
	// and the value of the discriminator.
	kinds map[string]map[string]*openapi3.SchemaRef
}

func bodiesOf(doc *openapi3.T) bodies {
	b := bodies{kinds: map[string]map[string]*openapi3.SchemaRef{}}
	for name, s := range doc.Components.Schemas {
		if kind, ok := s.Value.Extensions["x-ms-discriminator-value"].(string); ok {
			b.derive(s.Value, kind, &openapi3.SchemaRef{Ref: "#/components/schemas/" + name, Value: s.Value})
		}
	}
	return b
}

func (b bodies) derive(from *openapi3.Schema, kind string, s *openapi3.SchemaRef) {
	for _, base := range from.AllOf {
		if b.kinds[base.Ref] == nil {
			b.kinds[base.Ref] = map[string]*openapi3.SchemaRef{}
		}
		b.kinds[base.Ref][kind] = s
		b.derive(base.Value, kind, s)
	}
}

// problem returns the first deviation of a body from its schema.
func (b bodies) problem(at string, schema *openapi3.SchemaRef, value any) error {
	switch v := value.(type) {
	case []any:
		for i, item := range v {
			if err := b.problem(fmt.Sprintf("%s[%d]", at, i), schema.Value.Items, item); err != nil {
				return err
			}
		}
		return nil
	case map[string]any:
		return b.object(at, schema, v)
	}
	if err := schema.Value.VisitJSON(value); err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	return nil
}

func (b bodies) object(at string, schema *openapi3.SchemaRef, value map[string]any) error {
	if kinds := b.kinds[schema.Ref]; len(kinds) > 0 {
		kind, err := kindOf(kinds, value)
		if err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		schema = kind
	}
	fields := map[string]*openapi3.SchemaRef{}
	required := map[string]bool{}
	collect(schema.Value, fields, required)
	for name := range required {
		if _, ok := value[name]; !ok {
			return fmt.Errorf("%s has no %s", at, name)
		}
	}
	for name, field := range value {
		known := fields[name]
		if more := schema.Value.AdditionalProperties.Schema; known == nil && more != nil {
			known = more
		}
		if known == nil {
			return fmt.Errorf("%s has the unknown field %s", at, name)
		}
		if err := b.problem(strings.TrimPrefix(at+"."+name, "."), known, field); err != nil {
			return err
		}
	}
	return nil
}

// kindOf returns the schema that the discriminator of a polymorphic object names.
func kindOf(kinds map[string]*openapi3.SchemaRef, value map[string]any) (*openapi3.SchemaRef, error) {
	for _, discriminator := range []string{"objectType", "containerType", "protectedItemType", "protectionIntentItemType"} {
		named, ok := value[discriminator].(string)
		if !ok {
			continue
		}
		if kind := kinds[named]; kind != nil {
			return kind, nil
		}
		return nil, fmt.Errorf("%s %q is unknown", discriminator, named)
	}
	return nil, errors.New("the object has no discriminator")
}

func collect(s *openapi3.Schema, fields map[string]*openapi3.SchemaRef, required map[string]bool) {
	for name, p := range s.Properties {
		fields[name] = p
	}
	for _, name := range s.Required {
		required[name] = true
	}
	for _, base := range s.AllOf {
		collect(base.Value, fields, required)
	}
}
