package stories_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/phone"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/stories"
	"github.com/ringback/ringback/internal/table"
)

func TestStories(t *testing.T) {
	t.Parallel()
	all, err := stories.Read(stories.Folder(3))
	if err != nil {
		t.Fatal(err)
	}
	orders, every := 10, 1 // orders in which each story is told, one story of so many
	if testing.Short() {
		orders, every = 2, 4
	}
	for i, s := range all {
		if i%every != 0 {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			var first end
			for n := range orders {
				got := tell(t, s, n)
				checkAlerts(t, s, n, got.alerts)
				if n == 0 {
					first = got
					checkEnd(t, s, got)
					continue
				}
				if diff := cmp.Diff(first.items, got.items); diff != "" {
					t.Errorf("items in order %d (-as in the file +then):\n%s", n, diff)
				}
			}
		})
	}
}

// end is how a story ends.
type end struct {
	alerts   []stories.Alert
	items    map[string]string // by key: what must be the same in any order
	waiting  []string
	unknown  int
	stored   int
	rejected int
	damage   []string
}

// tell tells a story in its n-th order to a stack of its own.
func tell(t *testing.T, s stories.Story, n int) end {
	t.Helper()
	var to receiver
	server := httptest.NewServer(&to)
	defer server.Close()
	config := configOf(t, s.Settings)
	config.Folder, config.Address, config.ForwardURL = t.TempDir(), "127.0.0.1:0", server.URL
	stack, err := local.Start(t.Context(), config, logscan.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stack.Close(); err != nil {
			t.Error(err)
		}
	}()
	// Yesterday all of the story's calls have begun: who calls in the future is taken to call
	// on arrival, which is another second in each order.
	day := time.Now().AddDate(0, 0, -1)
	for i, d := range s.Order(n) {
		// In every other order the deliveries come before their alerts are due. What is
		// given, perhaps twice, is settled before.
		if n%2 == 1 || len(s.Given) <= i && i <= 2*len(s.Given) {
			if err := stack.Settled(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		body, err := d.Bytes(day)
		if err != nil {
			t.Fatal(err)
		}
		post(t, stack.URL, d, body)
	}
	if err := stack.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	var e end
	if e.alerts, err = stories.Net(to.documents); err != nil {
		t.Fatal(err)
	}
	e.items = map[string]string{}
	for item, err := range stack.Scan(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		key := table.KeyOf(item)
		caller := strings.TrimPrefix(key.PK, table.CallerPartition(""))
		switch {
		case strings.HasPrefix(key.PK, "REJECTED#"):
			e.rejected++
		case table.IsFollowUp(key):
			said := fmt.Sprint(table.Text(item, table.State), " ", table.Text(item, table.Outcome), " ", table.Text(item, table.Line), " ", table.Text(item, table.Name))
			e.items[key.PK+" "+key.SK] = said
			if table.Text(item, table.GSI3PK) != "" {
				e.waiting = append(e.waiting, strings.TrimSuffix(caller+" "+table.Text(item, table.Count), " 1"))
			}
		case strings.HasPrefix(key.SK, "CONTACT#") && caller != key.PK:
			contact := maps.Clone(item)
			delete(contact, table.Version)
			e.items[key.PK+" "+key.SK] = fmt.Sprint(contact)
		case strings.HasPrefix(key.SK, "EVENT#"):
			e.stored++
			e.items[key.PK+" "+key.SK] = fmt.Sprint(table.Text(item, table.Kind), " ", table.Text(item, "outcome"), " ", table.AlertOf(item), " ", table.Text(item, table.GSI1PK), " ", table.Text(item, table.GSI2PK))
			if table.Text(item, "outcome") == "unknown" {
				e.unknown++
			}
			e.damage = append(e.damage, names(item["damage"])...)
		}
	}
	slices.Sort(e.damage)
	slices.Sort(e.waiting)
	return e
}

// configOf returns a stack's configuration with parameters of the template.
func configOf(t *testing.T, settings map[string]string) local.Config {
	t.Helper()
	numbers, err := phone.New(settings["DefaultCountry"])
	if err != nil {
		t.Fatal(err)
	}
	if numbers, err = numbers.WithOwn(settings["OwnNumbers"]); err != nil {
		t.Fatal(err)
	}
	c := local.Config{Numbers: numbers, Rules: alert.DefaultRules(), Style: alert.Style{Show: numbers.Show}}
	c.Rules.MaxAge += 24 * time.Hour // the story was yesterday
	for name, value := range settings {
		switch name {
		case "DefaultCountry", "OwnNumbers":
		case "AlertBlocked":
			c.Rules.Blocked = value == "true"
		case "AlertAbandoned":
			c.Rules.Abandoned, err = alert.ParseCallers(value)
		case "AlertMaxAge":
			c.Rules.MaxAge, err = time.ParseDuration(value)
		case "AlertPause":
			c.Rules.Pause, err = time.ParseDuration(value)
		default:
			t.Fatalf("no such setting: %s", name)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func names(list any) (all []string) {
	text, _ := json.Marshal(list)
	_ = json.Unmarshal(text, &all)
	return all
}

func post(t *testing.T, url string, d stories.Delivery, body []byte) {
	t.Helper()
	kind := d.ContentType
	if kind == "" {
		kind = "application/json"
	}
	resp, err := http.Post(url, kind, bytes.NewReader(body)) //nolint:gosec,noctx // G107: our own stack
	if err != nil {
		t.Fatal(err)
	}
	answer, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	want := d.Answer
	if want == 0 {
		want = http.StatusOK
	}
	if resp.StatusCode != want {
		t.Errorf("answered %d %s, want %d, to %q", resp.StatusCode, answer, want, body)
	}
}

func checkAlerts(t *testing.T, s stories.Story, n int, got []stories.Alert) {
	t.Helper()
	want := stories.Sorted(s.Want.Alerts)
	for i := range got {
		if i < len(want) {
			got[i] = got[i].Shown(want[i])
		}
	}
	if diff := cmp.Diff(want, stories.Sorted(got)); diff != "" && len(want)+len(got) > 0 {
		t.Errorf("%s\nalerts in order %d (-want +got):\n%s", s.Title, n, diff)
	}
}

func checkEnd(t *testing.T, s stories.Story, got end) {
	t.Helper()
	stored := s.Want.Stored
	if stored == 0 && !s.Want.Nothing {
		stored = len(s.Given) + len(s.Deliveries)
	}
	if got.stored != stored || got.rejected != s.Want.Rejected || got.unknown != s.Want.Unknown {
		t.Errorf("%d stored, %d rejected, %d of unknown outcome; want %d, %d, %d",
			got.stored, got.rejected, got.unknown, stored, s.Want.Rejected, s.Want.Unknown)
	}
	checkWaiting(t, s, got)
	if diff := cmp.Diff(s.Want.Damage, got.damage); diff != "" && len(s.Want.Damage) > 0 {
		t.Errorf("damage (-want +got):\n%s", diff)
	}
}

func checkWaiting(t *testing.T, s stories.Story, got end) {
	t.Helper()
	var waiting, want []string
	if s.Want.Waiting != nil {
		waiting, want = got.waiting, slices.Sorted(slices.Values(*s.Want.Waiting))
	} else {
		for _, caller := range got.waiting {
			if number, _, _ := strings.Cut(caller, " "); !followup.IsCallSubject(number) {
				waiting = append(waiting, number)
			}
		}
		numbers := configOf(t, s.Settings).Numbers
		for _, a := range s.Want.Alerts {
			if a.Number != "" {
				want = append(want, numbers.Canonical(a.Number))
			}
		}
		slices.Sort(want)
		want = slices.Compact(want)
	}
	if !slices.Equal(waiting, want) {
		t.Errorf("%q wait, want %q", got.waiting, want)
	}
}

// receiver takes the documents of alerts.
type receiver struct {
	mu        sync.Mutex
	documents [][]byte
}

func (r *receiver) ServeHTTP(_ http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.documents = append(r.documents, body)
}
