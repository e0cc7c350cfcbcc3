package play_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/storm/play"
)

func TestTheReceiverTakesAlertsAndNotesTheirIDs(t *testing.T) {
	t.Parallel()
	r := receiver(t, play.Faults(1, 0))
	for _, id := range []string{"CALL#a/voicemail", "CALL#b/missed_call", "CALL#a/voicemail"} {
		if got := postAlert(t, r.URL, fmt.Sprintf(`{"version":1,"id":%q,"kind":"voicemail"}`, id)); got != http.StatusNoContent {
			t.Errorf("%s is answered %d", id, got)
		}
	}
	got := r.Published()
	want := []play.Alert{{ID: "CALL#a/voicemail", Kind: "voicemail"}, {ID: "CALL#b/missed_call", Kind: "voicemail"}, {ID: "CALL#a/voicemail", Kind: "voicemail"}}
	if diff := cmp.Diff(want, got.Taken); diff != "" {
		t.Errorf("taken (-want +got):\n%s", diff)
	}
	if got.Failed != 0 || got.Unreadable != 0 {
		t.Errorf("%d failed, %d unreadable", got.Failed, got.Unreadable)
	}
}

func TestWhatIsNoAlertIsRefusedAndCounted(t *testing.T) {
	t.Parallel()
	r := receiver(t, play.Faults(1, 0))
	bodies := []string{"", "null", "[]", `{"id":""}`, `{"id":1}`, `{"id":"a"`, `{"id":"` + strings.Repeat("a", 1<<20) + `"}`}
	for _, body := range bodies {
		if got := postAlert(t, r.URL, body); got != http.StatusBadRequest {
			t.Errorf("%.20q is answered %d", body, got)
		}
	}
	if got := r.Published(); got.Unreadable != len(bodies) || len(got.Taken) != 0 {
		t.Errorf("%d unreadable, %d taken", got.Unreadable, len(got.Taken))
	}
}

func TestTheReceiverFailsInEveryWayAndTakesNothingThen(t *testing.T) {
	t.Parallel()
	r := receiver(t, func(_ string, try int) bool { return try == 0 })
	statuses := map[int]int{}
	const alerts = 60
	for i := range alerts {
		body := fmt.Sprintf(`{"id":"CALL#%d/voicemail"}`, i)
		statuses[postAlert(t, r.URL, body)]++
		if got := postAlert(t, r.URL, body); got != http.StatusNoContent {
			t.Errorf("the second try is answered %d", got)
		}
	}
	for _, status := range []int{0, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable} {
		if statuses[status] == 0 {
			t.Errorf("%d never occurs: %v", status, statuses)
		}
	}
	if statuses[http.StatusNoContent] != 0 {
		t.Errorf("%v: some did not fail", statuses)
	}
	if got := r.Published(); got.Failed != alerts || len(got.Taken) != alerts {
		t.Errorf("%d failed, %d taken, want %d of each", got.Failed, len(got.Taken), alerts)
	}
}

func TestFaultsHitTheirShareAndAreTheSameForASeed(t *testing.T) {
	t.Parallel()
	for _, percent := range []int{0, 5, 50, 100} {
		fault, again, other := play.Faults(1, percent), play.Faults(1, percent), play.Faults(2, percent)
		const tries = 10_000
		hits, differ := 0, 0
		for i := range tries {
			id, try := fmt.Sprintf("CALL#call_%d/missed_call", i/4), i%4
			hit := fault(id, try)
			if hit {
				hits++
			}
			if hit != again(id, try) {
				t.Fatalf("%s, try %d: not the same the second time", id, try)
			}
			if hit != other(id, try) {
				differ++
			}
		}
		share := float64(hits) * 100 / tries
		if share < float64(percent)*0.85 || share > float64(percent)*1.15 {
			t.Errorf("%.2f %% are hit, want %d", share, percent)
		}
		if certain := percent == 0 || percent == 100; (differ == 0) != certain {
			t.Errorf("%d %%: %d of %d differ with another seed", percent, differ, tries)
		}
	}
}

func receiver(t *testing.T, fault play.Fault) *play.Receiver {
	t.Helper()
	r, err := play.StartReceiver(t.Context(), fault)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// postAlert returns the answer's status, 0 for none.
func postAlert(t *testing.T, url, body string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			t.Fatal(err)
		}
		return 0
	}
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
	return resp.StatusCode
}
