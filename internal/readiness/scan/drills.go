package scan

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"azbackupflow/internal/api"
	"azbackupflow/internal/arm"
	"azbackupflow/internal/drill/archive"
	"azbackupflow/internal/readiness"
)

// Archive holds the evidence of drills. archive.Archive implements it.
type Archive interface {
	// List returns entries, newest drill first.
	List(ctx context.Context, q archive.Query) (archive.Page, error)
	// Open returns the document of an entry. The error is ErrNotFound, or one that
	// archive.Changed recognizes, with the document.
	Open(ctx context.Context, e archive.Entry) (archive.Document, error)
}

// archivePage is how many entries are listed at a time.
const archivePage = 1000

// drillsPart returns the part of the newest drills. It makes no call of Azure
// Resource Manager.
func (s *Scanner) drillsPart() part {
	return part{kind: partDrills, key: partDrills, lists: []list{{listDrills, s.readDrills}}}
}

// readDrills returns the newest drill of each item. A list of the archive is not
// signed, so each document is opened and verified once; what was verified before is
// kept.
func (s *Scanner) readDrills(ctx context.Context, _ arm.CallOptions, r row, more func() bool) (portion, error) {
	before, _ := data[readiness.Drills](r, listDrills)
	newest, err := s.newestEntries(ctx)
	if err != nil {
		return portion{}, fmt.Errorf("list the evidence of drills: %w", err)
	}
	drills := readiness.Drills{}
	for _, key := range slices.Sorted(maps.Keys(newest)) {
		if known, ok := before[key]; ok && known.ID == newest[key].ID && known.Verified {
			drills[key] = known
		}
	}
	for _, key := range slices.Sorted(maps.Keys(newest)) {
		if _, ok := drills[key]; ok {
			continue
		}
		if !more() {
			return portion{Data: drills}, nil
		}
		drill, err := s.openDrill(ctx, newest[key])
		if err != nil {
			return portion{Data: drills}, fmt.Errorf("read the evidence of drill %s: %w", newest[key].ID, err)
		}
		drills[key] = drill
	}
	return portion{Data: drills, Done: true}, nil
}

// newestEntries returns the newest entry of each item, by Key of the item.
func (s *Scanner) newestEntries(ctx context.Context) (map[string]archive.Entry, error) {
	newest := map[string]archive.Entry{}
	if s.c.Archive == nil {
		return newest, nil
	}
	for q := (archive.Query{Limit: archivePage}); ; {
		page, err := s.c.Archive.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, e := range page.Entries {
			if _, known := newest[readiness.Key(e.ItemID)]; !known {
				newest[readiness.Key(e.ItemID)] = e
			}
		}
		if q.After = page.Next; q.After == "" {
			return newest, nil
		}
	}
}

// openDrill returns the drill of an entry. If the document is not what the entry
// says, or is not verified, the drill is not.
func (s *Scanner) openDrill(ctx context.Context, e archive.Entry) (api.ReadinessDrill, error) {
	drill := api.ReadinessDrill{ID: e.ID, Started: e.Started, Result: string(e.Result), RestoreTime: e.RestoreTime}
	doc, err := s.c.Archive.Open(ctx, e)
	switch {
	case archive.Changed(err), errors.Is(err, archive.ErrNotFound):
		return drill, nil
	case err != nil:
		return drill, err
	}
	// The signed document decides, not the entry.
	drill.Started, drill.Result, drill.RestoreTime = doc.Evidence.Started, string(doc.Evidence.Result), ""
	if o := doc.Evidence.Objectives.RTO; o != nil {
		drill.RestoreTime = o.Measured
	}
	drill.Verified = doc.Verified && doc.Evidence.ID == e.ID && readiness.Key(doc.Evidence.Item.ID) == readiness.Key(e.ItemID)
	return drill, nil
}
