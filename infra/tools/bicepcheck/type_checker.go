package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// typeChecker compares values of a template with types.
type typeChecker struct {
	types *catalog
	file  string
	found []Finding
	err   error
}

func (c *typeChecker) report(line int, format string, args ...any) {
	c.found = append(c.found, Finding{c.file, line, fmt.Sprintf(format, args...)})
}

// follow returns the type that a reference in the file of another type refers to.
func (c *typeChecker) follow(from *schema, ref reference) *schema {
	s, err := c.types.at(from.file, ref)
	if err != nil {
		c.err = err
		return &schema{Type: "AnyType"}
	}
	return s
}

// check compares a value with a type. path is the position of the value.
func (c *typeChecker) check(v value, s *schema, path string) {
	if len(v.either) > 0 {
		for _, e := range v.either {
			c.check(e, s, path)
		}
		return
	}
	if v.kind == unknown || v.kind == null || s.Type == "AnyType" {
		return
	}
	switch s.Type {
	case "UnionType":
		c.union(v, s, path)
		return
	case "ObjectType":
		if c.is(v, object, path) {
			c.object(v, s, s.Properties, path)
		}
		return
	case "DiscriminatedObjectType":
		if c.is(v, object, path) {
			c.discriminated(v, s, path)
		}
		return
	case "ArrayType":
		if c.is(v, array, path) && s.ItemType != nil {
			for i, item := range v.items {
				c.check(item, c.follow(s, *s.ItemType), path+"["+strconv.Itoa(i)+"]")
			}
		}
		return
	case "BooleanType":
		c.is(v, boolean, path)
		return
	case "IntegerType":
		if c.is(v, number, path) {
			c.bounds(v, s, path)
		}
		return
	case "StringType":
		if c.is(v, text, path) {
			c.length(v, s, path)
		}
		return
	case "StringLiteralType":
		if c.is(v, text, path) && v.known && !slices.Contains(c.literals(s), v.text) {
			c.report(v.line, "%s is %q, want %s", path, v.text, strings.Join(c.literals(s), " or "))
		}
	}
}

func (c *typeChecker) is(v value, want kind, path string) bool {
	if v.kind != want {
		c.report(v.line, "%s is of type %s, want %s", path, v.kind, want)
	}
	return v.kind == want
}

func (c *typeChecker) bounds(v value, s *schema, path string) {
	n, err := strconv.Atoi(v.text)
	if !v.known || err != nil {
		return
	}
	if s.MinValue != nil && n < *s.MinValue || s.MaxValue != nil && n > *s.MaxValue {
		c.report(v.line, "%s is %d, which Azure does not accept", path, n)
	}
}

func (c *typeChecker) length(v value, s *schema, path string) {
	if !v.known {
		return
	}
	n := utf8.RuneCountInString(v.text)
	if s.MinLength != nil && n < *s.MinLength || s.MaxLength != nil && n > *s.MaxLength {
		c.report(v.line, "%s is %d characters long, which Azure does not accept", path, n)
	}
	if p, err := regexp.Compile(s.Pattern); err == nil && s.Pattern != "" && !p.MatchString(v.text) {
		c.report(v.line, "%s is %q, want it to match %s", path, v.text, s.Pattern)
	}
}

// literals returns the texts that a type lists, or nil if it lists none or also allows
// other types. Many of Azure's lists are open for values of later versions. At the
// version that a template names, a value outside of the list is a finding.
func (c *typeChecker) literals(s *schema) []string {
	switch s.Type {
	case "StringLiteralType":
		var one string
		if err := json.Unmarshal(s.Value, &one); err != nil {
			c.err = err
		}
		return []string{one}
	case "UnionType":
		var all []string
		for _, e := range c.elements(s) {
			if e.Type == "StringType" {
				continue
			}
			l := c.literals(e)
			if l == nil {
				return nil
			}
			all = append(all, l...)
		}
		return all
	}
	return nil
}

func (c *typeChecker) elements(s *schema) []*schema {
	var refs []reference
	if err := json.Unmarshal(s.Elements, &refs); err != nil {
		c.err = err
	}
	all := make([]*schema, len(refs))
	for i, ref := range refs {
		all[i] = c.follow(s, ref)
	}
	return all
}

// union checks that one of the types fits.
func (c *typeChecker) union(v value, s *schema, path string) {
	if wanted := c.literals(s); wanted != nil {
		if c.is(v, text, path) && v.known && !slices.Contains(wanted, v.text) {
			c.report(v.line, "%s is %q, want %s", path, v.text, strings.Join(wanted, " or "))
		}
		return
	}
	for _, e := range c.elements(s) {
		try := &typeChecker{types: c.types, file: c.file}
		try.check(v, e, path)
		if len(try.found) == 0 {
			return
		}
	}
	c.report(v.line, "%s has a value that Azure does not accept there", path)
}

func (c *typeChecker) object(v value, s *schema, members map[string]member, path string) {
	for _, p := range v.props {
		below := strings.TrimPrefix(path+"."+p.name, ".")
		m, ok := members[p.name]
		switch {
		case p.name == "*" && s.AdditionalProperties == nil:
		case ok && m.readOnly():
			c.report(p.line, "%s is read-only", below)
		case ok:
			c.check(p.value, c.follow(s, m.Type), below)
		case s.AdditionalProperties != nil:
			c.check(p.value, c.follow(s, *s.AdditionalProperties), below)
		default:
			c.report(p.line, "%s is not a property that Azure knows%s", below, near(p.name, members))
		}
	}
	if v.open {
		return
	}
	var missing []string
	for name, m := range members {
		if _, given := v.get(name); m.required() && !given {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	for _, name := range missing {
		c.report(v.line, "%s is missing", strings.TrimPrefix(path+"."+name, "."))
	}
}

// near names a property that differs only in casing.
func near(name string, members map[string]member) string {
	for other := range members {
		if strings.EqualFold(name, other) {
			return ", but " + other + " is"
		}
	}
	return ""
}

// discriminated checks an object whose type depends on the value of a property.
func (c *typeChecker) discriminated(v value, s *schema, path string) {
	below := strings.TrimPrefix(path+"."+s.Discriminator, ".")
	p, ok := v.get(s.Discriminator)
	if !ok {
		if !v.open {
			c.report(v.line, "%s is missing", below)
		}
		return
	}
	if p.value.kind != text || !p.value.known {
		c.report(v.line, "%s is not a literal, so that the compiler cannot check this object: write one object for each value (BCP225)", below)
		return
	}
	var kinds map[string]reference
	if err := json.Unmarshal(s.Elements, &kinds); err != nil {
		c.err = err
		return
	}
	ref, ok := kinds[p.value.text]
	if !ok {
		c.report(p.value.line, "%s is %q, which Azure does not know", below, p.value.text)
		return
	}
	own := c.follow(s, ref)
	all := map[string]member{}
	for name, m := range s.BaseProperties {
		all[name] = m
	}
	for name, m := range own.Properties {
		all[name] = m
	}
	c.object(v, own, all, path)
}
