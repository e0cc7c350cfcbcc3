package inbox_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/inbox"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/phone"
	"github.com/ringback/ringback/internal/proof/inboxtest"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

// cursors are those of a store, which differ.
var cursors = regexp.MustCompile(`after=[A-Za-z0-9_-]+`)

// A deployed table is shown in the same words as that of this machine.
func TestADeployedTableIsShownAsThisMachinesIs(t *testing.T) {
	t.Parallel()
	cfg, name := tabletest.NewTable(t)
	w := inboxtest.Open(t, nil)
	w.Post(inboxtest.Day()...)
	v := visit(t, w)
	v.post("/act", "caller", inboxtest.Tom, "kind", "claim")

	var store table.Store = dynamostore.New(cfg, name)
	for item, err := range w.Stack.Scan(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Put(t.Context(), item); err != nil {
			t.Fatal(err)
		}
	}
	numbers, err := phone.New("US")
	if err != nil {
		t.Fatal(err)
	}
	deployed := visit(t, inboxtest.Open(t, func(c *inbox.Config) {
		c.Look = lookup.New(store, numbers, w.Look.Zone())
		c.Look.Now = w.Look.Now
		c.Acts, c.Changed, c.Every, c.Settled = store, nil, time.Second, nil
	}))
	for _, path := range []string{
		"/", "/today", "/today?day=2026-03-11", "/caller?number=" + url.QueryEscape(inboxtest.Rosa), "/caller?number=call:CA0023",
		"/caller?number=" + url.QueryEscape(inboxtest.Hana), "/call?id=CA0011", "/text?id=msg-1", "/contact?id=5001", "/rejected", "/health",
		"/search?q=rosa", "/nope",
	} {
		here, want := v.get(path)
		there, got := deployed.get(path)
		if diff := cmp.Diff(cursors.ReplaceAllString(want, ""), cursors.ReplaceAllString(got, "")); here != there || diff != "" {
			t.Errorf("%s: %d here, %d from a deployed table (-here +there):\n%s", path, here, there, diff)
		}
	}
	_, page := deployed.post("/act", "caller", inboxtest.Rosa, "kind", "claim")
	says(t, "claim", page, "Rosa Delgado has waited since 10:52. Kim Park takes care until 16:35.")
	acts, err := store.Query(t.Context(), table.Query{Partition: table.CallerPartition(inboxtest.Rosa), SortPrefix: "ACT#"})
	if err != nil || len(acts.Items) != 1 || !strings.Contains(table.Text(acts.Items[0], table.By), "Kim") {
		t.Errorf("the act is not in the table: %v, %v", acts.Items, err)
	}
}
