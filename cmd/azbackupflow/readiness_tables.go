package main

import (
	"strconv"
	"strings"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/readiness"
)

// showReadiness writes the report: the scores, the settings of the vaults, and the
// resources.
func (a *app) showReadiness(report api.Readiness) error {
	if a.out.Structured() {
		return a.out.Data(report)
	}
	var scores [][]string
	for _, s := range report.Scores {
		name := render.Plain(s.Name)
		switch {
		case s.Group == readiness.GroupTotal:
			name = "all"
		case name == "":
			name = "none"
		}
		row := []string{s.Group, name}
		for _, n := range []int{s.Items, s.Proven, s.NotProven, s.ObjectivesMissed, s.NotProtected, s.Excluded, s.FailingBackups} {
			row = append(row, strconv.Itoa(n))
		}
		scores = append(scores, append(row, strconv.Itoa(s.ProvenPercent)+" %"))
	}
	a.out.Columns([]render.Column{
		{Heading: "Score of"}, {Heading: "Name", Middle: true, Min: 8}, {Heading: "Resources"}, {Heading: "Proven"}, {Heading: "Not proven", Drop: 2}, {Heading: "Missed", Drop: 3},
		{Heading: "Unprotected", Drop: 1}, {Heading: "Excluded", Drop: 4}, {Heading: "Failing", Drop: 5}, {Heading: "Proven, of those not excluded"},
	}, scores)
	if len(report.Vaults) > 0 {
		a.out.Line("")
		var vaults [][]string
		for _, v := range report.Vaults {
			vaults = append(vaults, []string{render.Plain(v.Name), orUnknown(v.SoftDelete), orUnknown(v.Immutability), yesNo(v.MultiUserAuthorization), render.Plain(strings.Join(v.Findings, "; "))})
		}
		a.out.Table([]string{"Vault", "Soft delete", "Immutability", "Multi-user authorization", "Findings"}, vaults)
	}
	if len(report.Items) > 0 {
		a.out.Line("")
		a.out.Columns([]render.Column{
			{Heading: "Resource", Min: 8}, {Heading: "Type", Drop: 1, Min: 8}, {Heading: "State"}, {Heading: "Newest backup", Drop: 2},
			{Heading: "Reasons", Wrap: true, Min: 24}, {Heading: "Next", OnlyWide: true},
		}, readinessRows(report.Items))
	}
	a.out.Line("")
	a.out.Line("%d calls of Azure; the oldest data is of %s.", report.Scan.Calls, report.Scan.Oldest.UTC().Format("2006-01-02 15:04:05 UTC"))
	return nil
}

func readinessRows(items []api.ReadinessItem) (rows [][]string) {
	for _, i := range items {
		newest := ""
		if at := readiness.NewestBackup(i); at != nil {
			newest = at.UTC().Format("2006-01-02 15:04")
		}
		rows = append(rows, []string{
			render.Plain(i.Name), render.Plain(i.Type), string(i.State), newest, render.Plain(strings.Join(i.Reasons, "; ")), render.Plain(strings.Join(i.Next, " && ")),
		})
	}
	return rows
}

func orUnknown(text string) string {
	if text == "" {
		return "unknown"
	}
	return render.Plain(text)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
