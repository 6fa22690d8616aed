package autoprotect

// Datasources returns the types of datasources of Backup vaults that rules
// protect.
func Datasources() (all []string) {
	for _, e := range allKinds() {
		all = append(all, e.datasource)
	}
	return all
}
