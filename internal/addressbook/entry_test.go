package addressbook_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ringback/ringback/internal/addressbook"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// of returns a contact under a number.
func of(id, name, at string, flags ...string) table.Item {
	item := table.Item{
		table.PK: attr.String(table.CallerPartition(numberX)), table.SK: attr.String(table.ContactPartition(id)),
		table.UpdatedAt: attr.String(at), table.Company: attr.String("Company of " + id),
	}
	if name != "" {
		item[table.Name] = attr.String(name)
	}
	for _, flag := range flags {
		item[flag] = attr.Bool(true)
	}
	return item
}

func TestOfSeveralContactsWithOneNumberTheNewestNamedCounts(t *testing.T) {
	t.Parallel()
	const early, late = "2026-03-12T14:32:00.000Z", "2026-03-12T14:33:00.000Z"
	ring := table.Item{table.PK: attr.String("CALLER#+1"), table.SK: attr.String("RING#x"), table.Name: attr.String("no contact")}
	for _, tc := range []struct {
		name  string
		items []table.Item
		want  addressbook.Entry
	}{
		{"none", nil, addressbook.Entry{}},
		{"what is no contact", []table.Item{ring}, addressbook.Entry{}},
		{"one", []table.Item{of("1", "Pat", early), ring}, addressbook.Entry{Known: true, Name: "Pat", Company: "Company of 1"}},
		{"the newest", []table.Item{of("1", "Pat", late), of("2", "Kim", early)}, addressbook.Entry{Known: true, Name: "Pat", Company: "Company of 1"}},
		{"of one time, the highest id", []table.Item{of("1", "Pat", late), of("2", "Kim", late)}, addressbook.Entry{Known: true, Name: "Kim", Company: "Company of 2"}},
		{"a named one before a newer one", []table.Item{of("1", "Pat", early), of("2", "", late)}, addressbook.Entry{Known: true, Name: "Pat", Company: "Company of 1"}},
		{"a company without a name", []table.Item{of("2", "", late)}, addressbook.Entry{Known: true, Company: "Company of 2"}},
		{"not a removed one", []table.Item{of("1", "Pat", early), of("2", "Kim", late, table.Removed, table.Blocked)}, addressbook.Entry{Known: true, Name: "Pat", Company: "Company of 1"}},
		{"only a removed one", []table.Item{of("2", "Kim", late, table.Removed)}, addressbook.Entry{}},
		{"blocked if one of them is", []table.Item{of("1", "Pat", early, table.Blocked), of("2", "Kim", late)}, addressbook.Entry{Known: true, Name: "Kim", Company: "Company of 2", Blocked: true}},
		{"not to be disturbed if one of them is", []table.Item{of("1", "Pat", late), of("2", "Kim", early, table.DoNotDisturb)}, addressbook.Entry{Known: true, Name: "Pat", Company: "Company of 1", DoNotDisturb: true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				items := tc.items
				if len(items) > 0 {
					items = rapid.Permutation(items).Draw(t, "order")
				}
				if diff := cmp.Diff(tc.want, addressbook.Read(items)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}
