package armsim

import (
	"net/http"
	"slices"
)

// undeleteInstance answers POST deletedBackupInstances/{b}/undelete with 200 at
// once, without an operation; the instance is then ProtectionStopped (recorded).
func (s *Simulator) undeleteInstance(c *call) (answer, *armError) {
	v := c.backupVault
	i := named(v.deleted, c.path.names[1])
	if i == nil {
		return answer{}, newUserError("UserErrorGenericResourceNotFound", "The backup instance "+c.path.names[1]+" was not found.",
			"Check the name of the backup instance.").withActivity(s.activity(c)).rejection(http.StatusNotFound)
	}
	if out := s.outcome(operationUndelete, i.name, i.friendly, i.source.name).userError(); out != nil {
		return answer{}, out.withActivity(s.activity(c)).rejection(http.StatusBadRequest)
	}
	v.deleted = slices.DeleteFunc(v.deleted, func(other *instance) bool { return other == i })
	i.state, i.deleting, i.deleted = protectionStopped, false, deletion{}
	v.instances = append(v.instances, i)
	return answer{status: http.StatusOK, header: http.Header{}}, nil
}
