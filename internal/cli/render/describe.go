package render

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/jedib0t/go-pretty/v6/text"

	"azbackupflow/internal/api"
)

// PortalAddress returns the address of an operation's vault in the Azure portal;
// empty if the vault is unknown.
//
// The form #resource and a resource ID is that of Azure's own links. The pages of
// jobs have addresses too, but Azure documents none of them and has changed them,
// so the link leads to the vault. Its page of backup jobs finds the job by its ID.
func PortalAddress(op api.Operation) string {
	id := VaultID(op)
	if id == "" {
		return ""
	}
	return "https://portal.azure.com/#resource" + id + "/overview"
}

// PortalFacts returns the address of an operation's vault in the Azure portal. A
// terminal shows it as a link.
func (p *Printer) PortalFacts(op api.Operation) []Fact {
	address := PortalAddress(op)
	if address == "" {
		return nil
	}
	if !p.links {
		return []Fact{{"Portal", Plain(address)}}
	}
	const maxName = 30
	return []Fact{{"Portal", text.Hyperlink(address, "vault "+shortenMiddle(VaultName(op), maxName))}, {"", "(-o wide shows the address)"}}
}

// JSONFacts returns the fields of a JSON object, those of inner objects by their
// paths.
func JSONFacts(raw json.RawMessage) []Fact {
	return jsonFacts("", raw)
}

func jsonFacts(prefix string, raw json.RawMessage) (facts []Fact) {
	members, _ := decodeObject(raw)
	for _, m := range members {
		name := Plain(prefix + m.name)
		if inner, ok := decodeObject(m.value); ok && len(inner) > 0 {
			facts = append(facts, jsonFacts(name+".", m.value)...)
			continue
		}
		facts = append(facts, Fact{name, cellText(m.value)})
	}
	return facts
}

// TextFacts returns names and values, sorted by name.
func TextFacts(all map[string]string) (facts []Fact) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		facts = append(facts, Fact{Plain(name), Plain(all[name])})
	}
	return facts
}
