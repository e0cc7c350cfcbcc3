package local_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/local"
)

// settleSoon is settle for a stack that never settles if it is broken: "make guards"
// breaks it.
func settleSoon(t *testing.T, stack *local.Stack) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := stack.Settled(ctx); err != nil {
		t.Fatal(err)
	}
}

// away is the URL of a receiver that is not there.
func away(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(nil)
	server.Close()
	return server.URL
}

// Each alert goes to the receiver once, however often the stack runs without it
// meanwhile, and those of a run without it are printed.
func TestPromise2_AlertsThatWaitForAReceiverAreNeitherLostNorDoubled(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	close := func(stack *local.Stack, waiting int) {
		t.Helper()
		if got, err := stack.WaitingAlerts(t.Context()); got != waiting || err != nil {
			t.Errorf("%d wait while the stack runs, %v, want %d", got, err, waiting)
		}
		if err := stack.Close(); err != nil {
			t.Fatal(err)
		}
		if got := stack.Kept().Waiting; got != waiting {
			t.Errorf("%d wait, want %d", got, waiting)
		}
	}
	stack := startWith(t, local.Config{Folder: folder, ForwardURL: away(t), FirstPause: calm, LongestPause: calm})
	var want []string
	for i := range 30 {
		postMissed(t, stack, fmt.Sprintf("waiting_%02d", i))
		want = append(want, fmt.Sprintf("CALL#waiting_%02d/missed_call", i))
	}
	close(stack, 30)

	for run := range 3 {
		var printed output
		stack = startWith(t, local.Config{Folder: folder, Alerts: &printed})
		if len(stack.Held) != 30 {
			t.Errorf("run %d: %d are held, want 30", run, len(stack.Held))
		}
		postMissed(t, stack, fmt.Sprintf("printed_%d", run))
		settleSoon(t, stack)
		if got := printed.String(); strings.Count(got, "▶") != 1 || strings.Contains(got, "waiting_") {
			t.Errorf("run %d printed:\n%s", run, got)
		}
		close(stack, 30)
	}

	var to receiver
	stack = startWith(t, local.Config{Folder: folder, ForwardURL: to.start(t)})
	settle(t, stack)
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(to.ids()))); diff != "" {
		t.Errorf("forwarded (-want +got):\n%s", diff)
	}
	close(stack, 0)

	// Nothing waits any more.
	var printed output
	stack = startWith(t, local.Config{Folder: folder, Alerts: &printed})
	settle(t, stack)
	if len(stack.Held) > 0 || printed.String() != "" {
		t.Errorf("held: %v, printed:\n%s", stack.Held, printed.String())
	}
}

// Another event of the call asks for the same alert. It must not be published for the
// terminal alone.
func TestPromise2_AnotherEventOfACallThatWaitsLeavesItsAlertToTheReceiver(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	stack := startWith(t, local.Config{Folder: folder, ForwardURL: away(t), FirstPause: calm, LongestPause: calm})
	post(t, stack.URL, sample(t, "call.missed"))
	if err := stack.Close(); err != nil {
		t.Fatal(err)
	}
	var printed output
	stack = startWith(t, local.Config{Folder: folder, Alerts: &printed})
	post(t, stack.URL, strings.Replace(sample(t, "call.missed"), `"status"`, `"note":"again","status"`, 1))
	postMissed(t, stack, "other")
	eventually(t, func() bool { return strings.Contains(printed.String(), "other") })
	if err := stack.Close(); err != nil {
		t.Fatal(err)
	}
	if got := printed.String(); strings.Contains(got, "call_1d4e5f6a") {
		t.Errorf("printed:\n%s", got)
	}
	var to receiver
	stack = startWith(t, local.Config{Folder: folder, ForwardURL: to.start(t)})
	settle(t, stack)
	if diff := cmp.Diff([]string{missedID}, to.ids()); diff != "" {
		t.Errorf("forwarded (-want +got):\n%s", diff)
	}
}

func TestABriefAlertIsOneLine(t *testing.T) {
	t.Parallel()
	var printed output
	stack := startWith(t, local.Config{Alerts: &printed, Brief: true})
	for _, name := range []string{"call.missed", "voicemail.received"} {
		post(t, stack.URL, sample(t, name))
	}
	settle(t, stack)
	lines := strings.Split(strings.TrimSuffix(printed.String(), "\n"), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "▶ Missed call") || !strings.HasPrefix(lines[1], "▶ Voicemail") {
		t.Errorf("printed:\n%s", printed.String())
	}
}
