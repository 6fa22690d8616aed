package armsim

import (
	"fmt"
	"strings"
	"time"
)

// This file makes what the restore of a virtual machine to managed disks leaves: the
// disks, whose names Azure chooses, and a container of the staging account with a
// template and the machine's configuration. Recorded: the names of the container and
// of its blobs, the second of which have the ID of the job. The names of the disks,
// and that a job which fails may leave the disk of the operating system, are choices.

// restoreManagedDisks lets a restore make the disks. Azure makes the first of them
// before the job ends.
func (s *Simulator) restoreManagedDisks(made *itemRestoreMade, i *item, group string, staging *account) {
	var when string
	add := func(kind string, at time.Time) {
		s.world.resources = append(s.world.resources, &Resource{
			ID:       fmt.Sprintf("%s/providers/Microsoft.Compute/disks/%s-%s-%s", strings.TrimRight(group, "/"), strings.ToLower(i.friendly), kind, when),
			Location: i.container.vault.Location, made: at, system: kind == "osdisk",
		})
	}
	container := strings.ToLower(i.friendly) + "-" + strings.ReplaceAll(s.random.guid(), "-", "")
	made.begin = func(j *job, now time.Time, takes time.Duration) {
		when = now.UTC().Format("20060102-150405.000000")
		blob := fmt.Sprintf("https://%s.blob.core.windows.net/%s/", staging.Name, container)
		made.results["Template Blob Uri"] = blob + "azuredeploy" + j.id + ".json"
		made.results["Config Blob Uri"] = blob + "config-" + strings.ToLower(i.friendly) + "-" + j.id + ".json"
		s.world.events.at(now.Add(takes/2), func(at time.Time) {
			if j.status == jobInProgress {
				staging.BlobContainers = append(staging.BlobContainers, BlobContainer{Name: container, modified: at})
				add("osdisk", at)
			}
		})
		made.finish = func() {
			for n := range i.dataDisks() {
				add(fmt.Sprintf("datadisk-%03d", n), now.Add(takes))
			}
		}
	}
}

// dataDisks returns the number of data disks in the recovery points of a machine.
func (i *item) dataDisks() int {
	if i.container.machine == nil {
		return 0
	}
	return i.container.machine.DataDisks
}

// diskConfiguration returns the recoveryPointDiskConfiguration of a machine. The
// recorded machine, which has no data disk, has none.
func (i *item) diskConfiguration() map[string]any {
	included := []any{map[string]any{"lun": -1, "name": i.friendly + "-os"}}
	for n := range i.dataDisks() {
		included = append(included, map[string]any{"lun": n, "name": fmt.Sprintf("%s-data%d", i.friendly, n)})
	}
	return map[string]any{
		"numberOfDisksIncludedInBackup": len(included), "numberOfDisksAttachedToVm": len(included),
		"includedDiskList": included, "excludedDiskList": []any{},
	}
}
