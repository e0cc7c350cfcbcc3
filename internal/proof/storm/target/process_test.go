package target_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/storm/play"
	"github.com/ringback/ringback/internal/proof/storm/target"
	"github.com/ringback/ringback/internal/table"
)

// Names of folders with which a process fails: when it starts, by itself later,
// or when it is told to end, which it does with a failure or not at all.
const (
	neverStarts = "never"
	ends        = "ends"
	endsBadly   = "badly"
	neverEnds   = "hangs"
)

// TestMain makes the test binary the program that a Process runs, where it is
// called as that is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		if err := serve(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func serve(args []string) error {
	var c local.Config
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.StringVar(&c.Folder, "data", "", "")
	flags.StringVar(&c.Address, "addr", "", "")
	flags.StringVar(&c.ForwardURL, "forward", "", "")
	flags.DurationVar(&c.Rules.MaxAge, "alert-max-age", 0, "")
	flags.Bool("until-eof", false, "") // which package main has
	if err := flags.Parse(args); err != nil {
		return err
	}
	if filepath.Base(c.Folder) == neverStarts {
		return errors.New("no room left on the disk")
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	stack, err := local.Start(ctx, c, new(logscan.Lines).Logger(os.Stderr)) // which start has scanned
	if err != nil {
		return err
	}
	switch filepath.Base(c.Folder) {
	case ends:
		time.AfterFunc(200*time.Millisecond, cancel)
		return errors.Join(stack.Wait(ctx), errors.New("no time left"))
	case endsBadly:
		return errors.Join(stack.Wait(ctx), stack.Close(), errors.New("the disk is full"))
	case neverEnds:
		_ = stack.Wait(ctx)
		select {}
	}
	return errors.Join(stack.Wait(ctx), stack.Close())
}

// patience is how long a test waits for what should come at once.
const patience = time.Minute

func TestNothingIsLostThroughKills(t *testing.T) {
	t.Parallel()
	plan, err := play.NewPlan(play.Mix{Seed: 11, Deliveries: 300, Duplicates: 30, Strays: 5})
	if err != nil {
		t.Fatal(err)
	}
	receiver, err := play.StartReceiver(t.Context(), play.Faults(11, 10))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = receiver.Close() })
	process := start(t, t.TempDir(), receiver.URL, func(err error) { t.Error(err) })
	url := process.Target.URL

	player := play.NewPlayer(8, patience)
	player.Minute = time.Second // or the process is not back before JustCall gives up
	killed := 0
	player.Done = process.KillAt(t.Context(), []int{60, 200}, func() { killed++ }) // one after the other
	seen, err := player.Play(t.Context(), plan, process.Target, receiver)
	if err != nil {
		t.Fatal(err)
	}
	seen.Kills, seen.Unmarked = process.Kills, local.Unmarked
	if report := play.Check(plan, seen); report.Err() != nil || seen.Kills != 2 || killed != 2 {
		t.Errorf("%d kills, %d of them told: %v\n%v", seen.Kills, killed, report.Err(), report.Found)
	}
	if process.Target.URL != url {
		t.Error("another URL after a kill")
	}
}

// The process has the table for itself until it is ended.
func TestTheTableIsReadOnceTheProcessIsSettled(t *testing.T) {
	t.Parallel()
	process := start(t, t.TempDir(), "", nil)
	to := process.Target
	if !to.Fresh || to.SigningSecret == "" || to.Table != nil || to.Scan != nil {
		t.Errorf("fresh %v, with a signing secret %v: want both, and no table yet", to.Fresh, to.SigningSecret != "")
	}
	body := `{"event":"appointment.scheduled","timestamp":"2026-03-12T14:32:00Z","data":{"id":1}}`
	resp, err := http.Post(to.URL, "application/json", strings.NewReader(body)) //nolint:noctx // it is over at once
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("posted: %v, %v", resp, err)
	}
	_ = resp.Body.Close()
	// A kill that is due comes first, and even with no time left the table is read as it is.
	process.KillAt(t.Context(), []int{1}, func() {})(1)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := to.Settled(over); !errors.Is(err, target.ErrProcess) {
		t.Errorf("settled with no time left: %v", err)
	}
	page, err := to.Table.Query(t.Context(), table.Query{Partition: "EVENT#appointment.scheduled"})
	if err != nil || len(page.Items) != 1 {
		t.Errorf("%d items, %v, want 1", len(page.Items), err)
	}
	times := 0
	for item, err := range to.Scan(t.Context()) {
		if err != nil {
			t.Error(err)
		}
		if table.IsEvent(table.KeyOf(item)) {
			times++
		}
	}
	if times != 1 || process.Kills != 1 {
		t.Errorf("%d events in the whole table and %d kills, want 1 of each", times, process.Kills)
	}
}

// The folder's last writer has to end well, or who knows what it left.
func TestAProcessThatDoesNotEndWellIsReported(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ folder, want string }{
		{endsBadly, "the disk is full"},
		{neverEnds, "it was told to end, and did not"},
	} {
		t.Run(tc.folder, func(t *testing.T) {
			t.Parallel()
			process := config(t, filepath.Join(t.TempDir(), tc.folder), "")
			if err := process.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			limit := patience // it needs what it needs
			if tc.folder == neverEnds {
				limit = 300 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			for range 2 {
				if err := process.Settled(ctx); !errors.Is(err, target.ErrProcess) || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("settled: %v, want %v: %s", err, target.ErrProcess, tc.want)
				}
			}
			if _, err := process.Target.Table.Query(t.Context(), table.Query{Partition: "P"}); err != nil {
				t.Errorf("the table cannot be read: %v", err)
			}
			if err := process.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestKillsThatAreNotMadeAreTold(t *testing.T) {
	t.Parallel()
	process := start(t, t.TempDir(), "", nil)
	answered := process.KillAt(t.Context(), []int{1, 3}, func() {})
	for n := range 2 {
		answered(n + 1)
	}
	if err := process.Settled(t.Context()); !errors.Is(err, target.ErrKills) || !strings.Contains(err.Error(), "1 of 2") {
		t.Errorf("got %v, want %v: 1 of 2", err, target.ErrKills)
	}
}

// A process that fails says why in what it prints, which must not be lost.
func TestAProcessThatDoesNotStartSaysWhy(t *testing.T) {
	t.Parallel()
	err := config(t, filepath.Join(t.TempDir(), neverStarts), "").Start(t.Context())
	if !errors.Is(err, target.ErrProcess) || !strings.Contains(err.Error(), "no room left on the disk") {
		t.Errorf("got %v, want what it printed", err)
	}
	process := config(t, t.TempDir(), "")
	process.Program = filepath.Join(t.TempDir(), "nothing")
	if err := process.Start(t.Context()); !errors.Is(err, target.ErrProcess) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want that there is no such program", err)
	}
}

func TestAProcessThatEndsByItselfIsTold(t *testing.T) {
	t.Parallel()
	told := make(chan error, 10)
	start(t, filepath.Join(t.TempDir(), ends), "", func(err error) { told <- err })
	select {
	case err := <-told:
		if !errors.Is(err, target.ErrProcess) || !strings.Contains(err.Error(), "no time left") {
			t.Errorf("got %v, want what it printed", err)
		}
	case <-time.After(patience):
		t.Error("nobody is told")
	}
}

func TestAStartEndsWithItsContext(t *testing.T) {
	t.Parallel()
	why := errors.New("the storm is over")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if err := config(t, t.TempDir(), "").Start(ctx); !errors.Is(err, why) && !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, why)
	}
}

// start starts a process whose log is scanned when the test ends.
func start(t *testing.T, folder, forwardURL string, failed func(error)) *target.Process {
	t.Helper()
	process := config(t, folder, forwardURL)
	process.Failed = failed
	if err := process.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	logscan.Watch(t, func() string {
		printed, err := os.ReadFile(filepath.Join(folder, target.LogName))
		if err != nil || len(printed) == 0 {
			t.Errorf("the process's log: %d bytes, %v", len(printed), err)
		}
		return string(printed)
	}, process.Target.SigningSecret)
	t.Cleanup(func() {
		if err := process.Close(); err != nil {
			t.Error(err)
		}
	})
	return process
}

func config(t *testing.T, folder, forwardURL string) *target.Process {
	t.Helper()
	program, err := os.Executable()
	if err == nil {
		err = os.MkdirAll(folder, 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	return &target.Process{Program: program, Folder: folder, ForwardURL: forwardURL}
}
