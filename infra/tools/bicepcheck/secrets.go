package main

import (
	"fmt"
	"regexp"
	"strings"
)

// required is a value that every resource of a type must have.
type required struct {
	// kind is the resource type in lower case.
	kind string
	path []string
	want string
	// risk is the consequence of another value.
	risk string
}

// requirements lists the values that turn keys off, and old versions of TLS.
func requirements() []required {
	const keys, tls = "keys could be used", "a version of TLS before 1.2 could be used"
	return []required{
		{"microsoft.storage/storageaccounts", []string{"properties", "allowSharedKeyAccess"}, "false", keys},
		{"microsoft.servicebus/namespaces", []string{"properties", "disableLocalAuth"}, "true", keys},
		{"microsoft.insights/components", []string{"properties", "DisableLocalAuth"}, "true", keys},
		{"microsoft.operationalinsights/workspaces", []string{"properties", "features", "disableLocalAuth"}, "true", keys},
		{"microsoft.web/sites/basicpublishingcredentialspolicies", []string{"properties", "allow"}, "false", keys},
		{"microsoft.storage/storageaccounts", []string{"properties", "minimumTlsVersion"}, "TLS1_2", tls},
		{"microsoft.servicebus/namespaces", []string{"properties", "minimumTlsVersion"}, "1.2", tls},
		{"microsoft.web/sites", []string{"properties", "siteConfig", "minTlsVersion"}, "1.2", tls},
	}
}

// builtIn returns the built-in roles that templates may assign, by their IDs.
func builtIn() map[string]string {
	return map[string]string{
		"b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
		"0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
		"974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
		"69a216fc-b8fb-44d8-bc22-1f3c2cd27a39": "Azure Service Bus Data Sender",
		"4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0": "Azure Service Bus Data Receiver",
		"3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
		"e5e2a7ff-d759-4cd2-bb51-3152d37e2eb1": "Storage Account Backup Contributor",
		"acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
		"c088a766-074b-43ba-90d4-1fb21feae531": "PostgreSQL Flexible Server Long Term Retention Backup Role",
		"ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
		"12338af0-0e69-4776-bea7-57ae8d297424": "Key Vault Crypto User",
	}
}

// checkRequirements reports resources that could be used with a key, or with an
// old version of TLS.
func checkRequirements(t *template) []Finding {
	var found []Finding
	for _, r := range t.resources {
		kind, _, _ := strings.Cut(strings.ToLower(r.id), "@")
		for _, rule := range requirements() {
			if rule.kind != kind || r.existing || r.body == nil {
				continue
			}
			v := t.evaluate(r.body)
			line := v.line
			for _, name := range rule.path {
				p, _ := v.get(name)
				v = p.value
				if p.line > 0 {
					line = p.line
				}
			}
			if v.text != rule.want {
				found = append(found, Finding{t.file, line, fmt.Sprintf("%s of %s is not %s: %s", strings.Join(rule.path, "."), strings.Split(r.id, "@")[0], rule.want, rule.risk)})
			}
		}
	}
	return found
}

// checkSecrets reports keys that a template reads, and roles that are not in
// builtIn.
func checkSecrets(t *template) []Finding {
	var found []Finding
	report := func(line int, format string, args ...any) {
		found = append(found, Finding{t.file, line, fmt.Sprintf(format, args...)})
	}
	keys := regexp.MustCompile(`(?i)^list(keys|accountsas|servicesas|connectionstrings|secrets)$`)
	secret := regexp.MustCompile(`(?i)(AccountKey|SharedAccessKey|SharedAccessSignature|InstrumentationKey)=`)
	id := regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	t.root.walk(func(n *node) {
		switch n.kind {
		case "identifier", "property_identifier":
			if keys.MatchString(n.text) {
				report(n.line, "%s reads keys", n.text)
			}
			if n.text == "secure" {
				report(n.line, "a secret is passed as a parameter")
			}
		case "string_content":
			if secret.MatchString(n.text) {
				report(n.line, "a key is part of a text")
			}
			if id.MatchString(n.text) && builtIn()[strings.ToLower(n.text)] == "" {
				report(n.line, "%s is not a role that templates may assign; add it to builtIn() if it is necessary", n.text)
			}
		}
	})
	return found
}
