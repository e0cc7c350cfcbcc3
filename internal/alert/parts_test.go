package alert_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// What is remembered is what the item says now, whatever it said before.
func TestPartsAreThoseOfTheItem(t *testing.T) {
	t.Parallel()
	parts := new(alert.Parts)
	want := func(name string, item table.Item) {
		t.Helper()
		for range 2 {
			if diff := cmp.Diff(alert.PartOf(item), parts.Of(item)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	}
	for _, kind := range []string{"call.missed", "voicemail.received", "call.completed", "sms.received", "contact.updated"} {
		whole := itemOf(t, sample(t, kind))
		want(kind, whole)
		for _, name := range []string{table.Packed, table.Kind, table.OccurredAt, table.ReceivedAt, table.GSI1PK, table.Outcome} {
			less := maps.Clone(whole)
			delete(less, name)
			want(kind+" without "+name, less)
			less[name] = attr.String("2026-03-12T16:00:00.000Z")
			want(kind+" with another "+name, less)
		}
		found := maps.Clone(whole)
		found[table.FoundBy] = attr.String(table.FoundByReconcile)
		want(kind+" found", found)
		want(kind, whole)
	}
	missed := sample(t, "call.missed")
	for n := range 5000 { // more than are remembered
		item := itemOf(t, strings.Replace(missed, "4155558765", fmt.Sprintf("415555%04d", n), 1))
		if n%1000 == 0 {
			want("many", item)
		}
		parts.Of(item)
	}
}
