package e2e_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/stories"
	"github.com/ringback/ringback/internal/table"
)

// settingVariables are the variables of the functions by the parameters that set
// them in template.yaml.
var settingVariables = map[string]string{
	"AlertAbandoned": "ALERT_ABANDONED",
	"AlertBlocked":   "ALERT_BLOCKED",
	"AlertMaxAge":    "ALERT_MAX_AGE",
	"AlertPause":     "ALERT_PAUSE",
	"DefaultCountry": "DEFAULT_COUNTRY",
	"OwnNumbers":     "OWN_NUMBERS",
	"TimeZone":       "TIME_ZONE",
}

// Every story ends on the real functions as it says: once the deliveries come
// before the alerts function is at work, and once, in another order and some of
// them twice, it is at work all the time.
func TestStories(t *testing.T) {
	t.Parallel()
	all, err := stories.Read(stories.Folder(3))
	if err != nil {
		t.Fatal(err)
	}
	for _, story := range all {
		t.Run(story.Name, func(t *testing.T) {
			t.Parallel()
			for order := range 2 {
				want := stories.Sorted(story.Want.Alerts)
				got := acted(t, story, order)
				for i := range min(len(want), len(got)) {
					got[i] = got[i].Shown(want[i])
				}
				if diff := cmp.Diff(want, stories.Sorted(got)); diff != "" && len(want)+len(got) > 0 {
					t.Errorf("%s\nalerts in order %d (-want +got):\n%s", story.Title, order, diff)
				}
			}
		})
	}
}

// acted plays a story and returns the alerts that stand at its end.
func acted(t *testing.T, story stories.Story, order int) []stories.Alert {
	t.Helper()
	s := newServices(t, plain)
	s.env["ALERT_MAX_AGE"] = "24h"
	for parameter, value := range story.Settings {
		variable := settingVariables[parameter]
		if variable == "" {
			t.Fatalf("no variable for the parameter %s", parameter)
		}
		s.env[variable] = value
	}
	webhook := s.webhook()
	alerts, settings := s.function("alerts", "AlertsFunction", "DynamoDB")
	seen := map[table.Key]bool{}
	stream := func() {
		var fresh []table.Item
		for _, item := range inOrder(s.items()) {
			if key := table.KeyOf(item); !seen[key] {
				seen[key] = true
				fresh = append(fresh, item)
			}
		}
		if given := s.stream(alerts, settings, fresh...); len(given) > 0 {
			t.Errorf("%d batches given up", len(given))
		}
	}
	day := story.On(time.Now())
	for i, d := range story.Order(order) {
		if i == len(story.Given) || order > 0 {
			stream()
		}
		body, err := d.Bytes(day)
		if err != nil {
			t.Fatal(err)
		}
		want := d.Answer
		if want == 0 {
			want = http.StatusOK
		}
		p := posting{body: string(body)}
		if d.ContentType != "" {
			p.headers = map[string]string{"Content-Type": d.ContentType}
		}
		if got := s.post(webhook, p); got.code != want {
			t.Errorf("answered %+v, want %d, to %q", got, want, body)
		}
	}
	stream()

	var documents [][]byte
	for _, alert := range s.alerts() {
		text, err := json.Marshal(alert.document)
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, text)
	}
	net, err := stories.Net(documents)
	if err != nil {
		t.Fatal(err)
	}
	return net
}
