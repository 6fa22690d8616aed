package armsim

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/arm/resourceid"
)

// This file serves file shares, blob containers and disks as resources of their own,
// with metadata and tags. Sources: the API documents of Microsoft.Storage 2023-05-01
// and Microsoft.Compute/disks 2024-03-02. Deleted shares and containers are gone at
// once: soft delete of storage accounts is not simulated. The size of a restored file
// and the time until a disk is deleted are choices.

const (
	restoredFileBytes = 4096
	restoredDiskGB    = 4
	diskDeletion      = 10 * time.Second
)

// Place is a file share, a blob container or a disk.
type Place struct {
	// ID is the ARM ID.
	ID string
	// Marks are the metadata of a share or a container, and the tags of a disk.
	Marks map[string]string
}

// Places returns the file shares and containers of all storage accounts, and the
// disks.
func (s *Simulator) Places() []Place {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.events.advance(s.config.Now())
	var all []Place
	for _, a := range s.world.accounts {
		for _, sh := range a.shares {
			all = append(all, Place{ID: a.shareID(sh.name), Marks: maps.Clone(sh.metadata)})
		}
		for _, b := range a.BlobContainers {
			all = append(all, Place{ID: a.containerID(b.Name), Marks: maps.Clone(b.Metadata)})
		}
	}
	for _, r := range s.world.resources {
		if isDisk(r) {
			all = append(all, Place{ID: r.ID, Marks: maps.Clone(r.Tags)})
		}
	}
	return all
}

// SetMarks replaces the metadata or tags of a place, as someone else may do. It
// reports whether the place exists.
func (s *Simulator) SetMarks(id string, marks map[string]string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.events.advance(s.config.Now())
	for _, a := range s.world.accounts {
		for _, sh := range a.shares {
			if sameID(a.shareID(sh.name), id) {
				sh.metadata = maps.Clone(marks)
				return true
			}
		}
		for i, b := range a.BlobContainers {
			if sameID(a.containerID(b.Name), id) {
				a.BlobContainers[i].Metadata, a.BlobContainers[i].modified = maps.Clone(marks), s.config.Now()
				return true
			}
		}
	}
	if r := s.world.disk(id); r != nil {
		r.Tags = maps.Clone(marks)
		return true
	}
	return false
}

func (a *account) shareID(name string) string { return a.ID() + "/fileServices/default/shares/" + name }

func (a *account) containerID(name string) string {
	return a.ID() + "/blobServices/default/containers/" + name
}

func isDisk(r *Resource) bool {
	return strings.Contains(strings.ToLower(r.ID), "/providers/microsoft.compute/disks/")
}

func (w *world) disk(id string) *Resource {
	for _, r := range w.resources {
		if isDisk(r) && sameID(r.ID, id) {
			return r
		}
	}
	return nil
}

// placeHandlers returns the handlers of shares and containers, by method.
func placeHandlers(pattern string) map[string]handler {
	const get, put, patch, del = http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete
	switch pattern {
	case "storageAccounts/*/fileServices/*/shares/*":
		return map[string]handler{get: (*Simulator).readShare, put: (*Simulator).writeShare, patch: (*Simulator).writeShare, del: (*Simulator).removeShare}
	case "storageAccounts/*/blobServices/*/containers/*":
		return map[string]handler{get: (*Simulator).readContainerOfBlobs, put: (*Simulator).writeContainerOfBlobs, patch: (*Simulator).writeContainerOfBlobs, del: (*Simulator).removeContainerOfBlobs}
	}
	return nil
}

// placeBody is the body of PUT and PATCH of a share or a container.
type placeBody struct {
	Properties struct {
		Metadata map[string]string `json:"metadata"`
	} `json:"properties"`
}

// placeOf returns the account and the name of the place that the path names.
func (s *Simulator) placeOf(c *call) (*account, string, *armError) {
	a, missing := s.world.account(c.path.parentID())
	if missing != nil {
		return nil, "", c.notFound(1)
	}
	return a, c.path.names[2], nil
}

func placeNotFound(code, what string) *armError {
	return &armError{status: http.StatusNotFound, code: code, message: "The specified " + what + " does not exist."}
}

func (s *Simulator) readShare(c *call) (answer, *armError) {
	a, name, err := s.placeOf(c)
	if err != nil {
		return answer{}, err
	}
	sh := a.share(name)
	if sh == nil {
		return answer{}, placeNotFound("ShareNotFound", "share")
	}
	view := a.shareView(sh)
	if c.query.Get("$expand") == "stats" {
		view["properties"].(map[string]any)["shareUsageBytes"] = sh.bytes //nolint:errcheck // shareView makes it
	}
	return jsonAnswer(http.StatusOK, view), nil
}

// shareView returns a share with its metadata.
func (a *account) shareView(sh *share) map[string]any {
	return map[string]any{
		"id": a.shareID(sh.name), "name": sh.name, "type": "Microsoft.Storage/storageAccounts/fileServices/shares", "etag": "\"0x8D589847DAB5AF9\"",
		"properties": map[string]any{
			"accessTier": "TransactionOptimized", "enabledProtocols": "SMB", "shareQuota": 100, "metadata": tagsOf(sh.metadata),
			"lastModifiedTime": a.since.UTC().Format(time.RFC3339),
		},
	}
}

func (s *Simulator) writeShare(c *call) (answer, *armError) {
	a, name, err := s.placeOf(c)
	if err != nil {
		return answer{}, err
	}
	var b placeBody
	if err := c.decode(&b); err != nil {
		return answer{}, err
	}
	sh, status := a.share(name), http.StatusOK
	switch {
	case sh == nil && c.r.Method == http.MethodPatch:
		return answer{}, placeNotFound("ShareNotFound", "share")
	case sh == nil:
		a.addShare(Share{Name: name, Empty: true})
		sh, status = a.share(name), http.StatusCreated
	}
	sh.metadata = b.Properties.Metadata
	return jsonAnswer(status, a.shareView(sh)), nil
}

func (s *Simulator) removeShare(c *call) (answer, *armError) {
	a, name, err := s.placeOf(c)
	if err != nil {
		return answer{}, err
	}
	if a.share(name) == nil {
		return answer{status: http.StatusNoContent, header: http.Header{}}, nil
	}
	a.shares = slices.DeleteFunc(a.shares, func(sh *share) bool { return strings.EqualFold(sh.name, name) })
	return answer{status: http.StatusOK, header: http.Header{}}, nil
}

// containerOfBlobs returns the index of a container; -1 if there is none.
func (a *account) containerOfBlobs(name string) int {
	return slices.IndexFunc(a.BlobContainers, func(b BlobContainer) bool { return b.Name == name })
}

func (s *Simulator) readContainerOfBlobs(c *call) (answer, *armError) {
	a, name, err := s.placeOf(c)
	if err != nil {
		return answer{}, err
	}
	at := a.containerOfBlobs(name)
	if at < 0 {
		return answer{}, placeNotFound("ContainerNotFound", "container")
	}
	return jsonAnswer(http.StatusOK, a.containerView(a.BlobContainers[at])), nil
}

func (a *account) containerView(b BlobContainer) map[string]any {
	modified := a.since
	if !b.modified.IsZero() {
		modified = b.modified
	}
	return map[string]any{
		"id": a.containerID(b.Name), "name": b.Name, "type": "Microsoft.Storage/storageAccounts/blobServices/containers", "etag": "\"0x8D592D74CC20EBA\"",
		"properties": map[string]any{
			"publicAccess": "None", "metadata": tagsOf(b.Metadata), "leaseStatus": "Unlocked", "leaseState": "Available",
			"lastModifiedTime": modified.UTC().Format(time.RFC3339), "hasImmutabilityPolicy": false, "hasLegalHold": false,
		},
	}
}

func (s *Simulator) writeContainerOfBlobs(c *call) (answer, *armError) {
	a, name, err := s.placeOf(c)
	if err != nil {
		return answer{}, err
	}
	var b placeBody
	if err := c.decode(&b); err != nil {
		return answer{}, err
	}
	at, status := a.containerOfBlobs(name), http.StatusOK
	switch {
	case at < 0 && c.r.Method == http.MethodPatch:
		return answer{}, placeNotFound("ContainerNotFound", "container")
	case at < 0:
		a.BlobContainers = append(a.BlobContainers, BlobContainer{Name: name})
		at, status = len(a.BlobContainers)-1, http.StatusCreated
	}
	a.BlobContainers[at].Metadata, a.BlobContainers[at].modified = b.Properties.Metadata, c.now
	return jsonAnswer(status, a.containerView(a.BlobContainers[at])), nil
}

func (s *Simulator) removeContainerOfBlobs(c *call) (answer, *armError) {
	a, name, err := s.placeOf(c)
	if err != nil {
		return answer{}, err
	}
	if a.containerOfBlobs(name) < 0 {
		return answer{status: http.StatusNoContent, header: http.Header{}}, nil
	}
	a.BlobContainers = slices.DeleteFunc(a.BlobContainers, func(b BlobContainer) bool { return b.Name == name })
	return answer{status: http.StatusOK, header: http.Header{}}, nil
}

// readDisk answers GET Microsoft.Compute/disks/{d}.
func (s *Simulator) readDisk(c *call) (answer, *armError) {
	r := s.world.disk(c.path.parentID())
	if r == nil {
		return answer{}, c.notFound(1)
	}
	return jsonAnswer(http.StatusOK, s.diskView(r)), nil
}

func (s *Simulator) diskView(r *Resource) map[string]any {
	state, created := "Succeeded", s.world.since
	if r.deleting {
		state = "Deleting"
	}
	if !r.made.IsZero() {
		created = r.made
	}
	view := map[string]any{
		"id": r.ID, "name": lastOf(r.ID), "type": "Microsoft.Compute/disks", "location": r.Location, "tags": tagsOf(r.Tags),
		"sku": map[string]any{"name": "Premium_LRS", "tier": "Premium"},
		"properties": map[string]any{
			"diskSizeGB": restoredDiskGB, "diskSizeBytes": restoredDiskGB << 30, "diskState": "Unattached", "provisioningState": state,
			"timeCreated": created.UTC().Format(azureTime),
		},
	}
	if properties, ok := view["properties"].(map[string]any); ok && r.system {
		properties["osType"] = "Windows"
	}
	return view
}

// listDisks answers GET Microsoft.Compute/disks of a resource group.
func (s *Simulator) listDisks(c *call) (answer, *armError) {
	if c.path.group == "" {
		return s.listResources(c)
	}
	var found []*Resource
	for _, r := range s.world.resources {
		if isDisk(r) && sameID(resourceid.GroupOf(r.ID), "/subscriptions/"+c.path.subscription+"/resourceGroups/"+c.path.group) {
			found = append(found, r)
		}
	}
	return page(s, c, found, s.diskView)
}

// CreateDisk makes a disk, as someone else may do.
func (s *Simulator) CreateDisk(id string, tags map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.config.Now()
	s.world.events.advance(now)
	s.world.resources = append(s.world.resources, &Resource{ID: id, Tags: maps.Clone(tags), made: now})
}

// tagDisk answers PATCH Microsoft.Compute/disks/{d}: the tags replace the old ones.
func (s *Simulator) tagDisk(c *call) (answer, *armError) {
	r := s.world.disk(c.path.parentID())
	if r == nil {
		return answer{}, c.notFound(1)
	}
	var b struct {
		Tags map[string]string `json:"tags"`
	}
	if err := c.decode(&b); err != nil {
		return answer{}, err
	}
	r.Tags = b.Tags
	return jsonAnswer(http.StatusOK, s.diskView(r)), nil
}

// removeDisk answers DELETE Microsoft.Compute/disks/{d}. Azure deletes it after its
// answer.
func (s *Simulator) removeDisk(c *call) (answer, *armError) {
	r := s.world.disk(c.path.parentID())
	if r == nil {
		return answer{status: http.StatusNoContent, header: http.Header{}}, nil
	}
	if !r.deleting {
		r.deleting = true
		s.world.events.at(c.now.Add(s.scaled(diskDeletion)), func(time.Time) {
			s.world.resources = slices.DeleteFunc(s.world.resources, func(other *Resource) bool { return other == r })
		})
	}
	return answer{status: http.StatusAccepted, header: http.Header{}}, nil
}
