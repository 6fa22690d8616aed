package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// object holds the members of a JSON object in their order.
type object []member

type member struct {
	name  string
	value json.RawMessage
}

func (o object) has(name string) bool {
	for _, m := range o {
		if m.name == name {
			return true
		}
	}
	return false
}

// decodeObject decodes a JSON object; false if the value is not an object.
func decodeObject(raw json.RawMessage) (all object, ok bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil, false
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, false
		}
		m := member{name: fmt.Sprint(name)}
		if d.Decode(&m.value) != nil {
			return nil, false
		}
		all = append(all, m)
	}
	return all, true
}

// yaml writes JSON as YAML, with its members in the same order.
func (p *Printer) yaml(raw json.RawMessage) error {
	node, err := yamlNode(raw)
	if err != nil {
		return fmt.Errorf("encode the output: %w", err)
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(node); err != nil {
		return fmt.Errorf("encode the output: %w", err)
	}
	p.write(out.String())
	return nil
}

func yamlNode(raw json.RawMessage) (*yaml.Node, error) {
	if members, ok := decodeObject(raw); ok {
		node := &yaml.Node{Kind: yaml.MappingNode}
		for _, m := range members {
			value, err := yamlNode(m.value)
			if err != nil {
				return nil, err
			}
			name := &yaml.Node{}
			name.SetString(m.name)
			node.Content = append(node.Content, name, value)
		}
		return node, nil
	}
	var list []json.RawMessage
	if bytes.HasPrefix(raw, []byte("[")) && json.Unmarshal(raw, &list) == nil {
		node := &yaml.Node{Kind: yaml.SequenceNode}
		for _, one := range list {
			value, err := yamlNode(one)
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, value)
		}
		return node, nil
	}
	node := &yaml.Node{}
	var text string
	if bytes.HasPrefix(raw, []byte(`"`)) {
		if err := json.Unmarshal(raw, &text); err != nil {
			return nil, err
		}
		return node, node.Encode(text) // quotes what YAML would read as another type
	}
	node.Kind, node.Value = yaml.ScalarNode, string(raw) // a number, true, false or null
	return node, nil
}

// grid writes the result of a query for people: a list as a table, an object as
// facts, another value as text.
func (p *Printer) grid(raw json.RawMessage) error {
	if one, ok := decodeObject(raw); ok {
		var facts []Fact
		for _, m := range one {
			facts = append(facts, Fact{m.name, cellText(m.value)})
		}
		p.Facts(facts)
		return nil
	}
	rows, ok := objectsIn(raw)
	if !ok || len(rows) == 0 {
		all, _ := elements(raw)
		for _, one := range all {
			p.Line("%s", cellText(one))
		}
		return nil
	}
	var headings []string
	index := map[string]int{}
	var cells [][]string
	for _, row := range rows {
		members, _ := decodeObject(row)
		line := make([]string, len(headings))
		for _, m := range members {
			column, known := index[m.name]
			if !known {
				column = len(headings)
				index[m.name], headings, line = column, append(headings, m.name), append(line, "")
			}
			line[column] = cellText(m.value)
		}
		cells = append(cells, line)
	}
	for i := range cells {
		cells[i] = append(cells[i], make([]string, len(headings)-len(cells[i]))...)
	}
	p.Table(headings, cells)
	return nil
}

// cellText returns a JSON value as text for a cell: strings without quotes, and
// null as nothing.
func cellText(raw json.RawMessage) string {
	var text string
	switch {
	case json.Unmarshal(raw, &text) == nil:
		return Plain(text)
	case string(raw) == "null":
		return ""
	}
	return Plain(strings.TrimSpace(string(raw)))
}
