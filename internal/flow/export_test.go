package flow

// Treatments returns what the tables say that a flow does, by the state of an item
// or an instance, and the treatment of a state that they lack. column is protect,
// backup, restore, stop, suspend, resume, change or remove.
func Treatments(ofInstances bool, column string) map[string]string {
	rows := itemStates()
	unknown := unknownItem()
	if ofInstances {
		rows, unknown = instanceStates(), unknownInstance()
	}
	rows["New"] = unknown
	all := map[string]string{}
	for state, row := range rows {
		all[state] = string(map[string]treatment{
			"protect": row.protect, "backup": row.backup, "restore": row.restore, "stop": row.stop,
			"suspend": row.suspend, "resume": row.resume, "change": row.change, "remove": row.remove,
		}[column])
	}
	return all
}
