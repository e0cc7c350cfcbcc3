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
	"github.com/ringback/ringback/internal/proof/storm"
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
	flags.Bool(target.UntilEOF, false, "") // which package main has
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
const patience = 20 * time.Second

func TestNothingIsLostThroughKills(t *testing.T) {
	t.Parallel()
	plan, err := storm.NewPlan(storm.Mix{Seed: 11, Deliveries: 300, Duplicates: 30, Strays: 5})
	if err != nil {
		t.Fatal(err)
	}
	receiver, err := storm.StartReceiver(t.Context(), storm.Faults(11, 10))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = receiver.Close() })
	process := start(t, t.TempDir(), receiver.URL, func(err error) { t.Error(err) })
	url := process.Target().URL

	player := storm.NewPlayer(8, patience)
	player.Minute = time.Second // or the process is not back before JustCall gives up
	downs := make(chan time.Duration, 2)
	player.Answered = process.KillAt(t.Context(), []int{60, 200}, func(down time.Duration) { downs <- down })
	seen, err := player.Play(t.Context(), plan, process.Target(), receiver)
	if err != nil {
		t.Fatal(err)
	}
	seen.Kills, seen.Unmarked = process.Kills(), local.Unmarked
	if report := storm.Check(plan, seen); report.Err() != nil || report.Kills != 2 {
		t.Errorf("%d kills: %v\n%s", report.Kills, report.Err(), strings.Join(report.Examples, "\n"))
	}
	if process.Target().URL != url {
		t.Error("another URL after a kill")
	}
	for range 2 {
		if down := <-downs; down <= 0 {
			t.Errorf("it did not answer for %v", down)
		}
	}
	if _, err := process.Kill(t.Context()); err == nil || process.Kills() != 2 {
		t.Errorf("killed though it is settled, %v", err)
	}
}

// The process has the table for itself until it is ended.
func TestTheTableIsReadOnceTheProcessIsSettled(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	process := start(t, folder, "", nil)
	to := process.Target()
	if !to.Fresh || to.SigningSecret == "" {
		t.Errorf("fresh %v, with a signing secret %v: want both", to.Fresh, to.SigningSecret != "")
	}
	body := `{"event":"appointment.scheduled","timestamp":"2026-03-12T14:32:00Z","data":{"id":1}}`
	resp, err := http.Post(to.URL, "application/json", strings.NewReader(body)) //nolint:noctx // it is over at once
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("posted: %v, %v", resp, err)
	}
	_ = resp.Body.Close()
	all := table.Query{Partition: "EVENT#appointment.scheduled"}
	if page, err := to.Table.Query(t.Context(), all); !errors.Is(err, table.ErrUnavailable) {
		t.Errorf("read while the process has the table: %d items, %v", len(page.Items), err)
	}
	if _, err := to.Table.Put(t.Context(), table.Item{}); !errors.Is(err, table.ErrUnavailable) {
		t.Errorf("written while the process has the table: %v", err)
	}
	for item, err := range to.Scan(t.Context()) {
		if item != nil || !errors.Is(err, table.ErrUnavailable) {
			t.Errorf("read while the process has the table: %v, %v", item, err)
		}
	}
	// A kill that is due comes first, and even with no time left the table is read
	// as it is.
	process.KillAt(t.Context(), []int{1}, func(time.Duration) {})(1)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_ = to.Settled(over)
	if page, err := to.Table.Query(t.Context(), all); err != nil || len(page.Items) != 1 {
		t.Errorf("%d items, %v, want 1", len(page.Items), err)
	}
	times := 0
	for _, err := range to.Scan(t.Context()) {
		if times++; err != nil {
			t.Error(err)
		}
	}
	if times != 1 {
		t.Errorf("%d items in the whole table, want 1", times)
	}
	if n := process.Kills(); n != 1 {
		t.Errorf("%d kills, want 1", n)
	}
	if err := to.Settled(t.Context()); err != nil {
		t.Errorf("settled again: %v", err)
	}
	for range 2 {
		if err := process.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if err := to.Settled(t.Context()); err == nil {
		t.Error("settled though it is closed")
	}
	_, err = target.StartProcess(t.Context(), config(t, folder, ""))
	if !errors.Is(err, target.ErrTable) {
		t.Errorf("started again on the folder: %v, want %v", err, target.ErrTable)
	}
	if err := os.Remove(filepath.Join(folder, "events.db")); err != nil {
		t.Fatal(err)
	}
	secret, err := local.ReadSecret(folder)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = target.StartProcess(t.Context(), config(t, folder, "")); !errors.Is(err, target.ErrSecret) {
		t.Errorf("started with a secret that is there: %v, want %v", err, target.ErrSecret)
	}
	if now, err := local.ReadSecret(folder); err != nil || now != secret {
		t.Errorf("the secret was written over, %v", err)
	}
}

// The folder's last writer has to end well, or who knows what it left.
func TestAProcessThatDoesNotEndWellIsTold(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ folder, want string }{
		{endsBadly, "the disk is full"},
		{neverEnds, "had not after 300ms"},
	} {
		t.Run(tc.folder, func(t *testing.T) {
			t.Parallel()
			c := config(t, filepath.Join(t.TempDir(), tc.folder), "")
			if tc.folder == neverEnds { // the other one needs what it needs
				c.StopTime = 300 * time.Millisecond
			}
			process, err := target.StartProcess(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := process.Settled(t.Context()); !errors.Is(err, target.ErrProcess) || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("settled: %v, want %v: %s", err, target.ErrProcess, tc.want)
				}
			}
			if _, err := process.Query(t.Context(), table.Query{Partition: "P"}); err != nil {
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
	answered := process.KillAt(t.Context(), []int{1, 3}, func(time.Duration) {})
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
	_, err := target.StartProcess(t.Context(), config(t, filepath.Join(t.TempDir(), neverStarts), ""))
	if !errors.Is(err, target.ErrProcess) || !strings.Contains(err.Error(), "no room left on the disk") {
		t.Errorf("got %v, want what it printed", err)
	}
	c := config(t, t.TempDir(), "")
	c.Program = filepath.Join(t.TempDir(), "nothing")
	if _, err := target.StartProcess(t.Context(), c); !errors.Is(err, target.ErrProcess) || !errors.Is(err, fs.ErrNotExist) {
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
	if _, err := target.StartProcess(ctx, config(t, t.TempDir(), "")); !errors.Is(err, why) && !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, why)
	}
}

// start starts a process whose log is scanned when the test ends.
func start(t *testing.T, folder, forwardURL string, failed func(error)) *target.Process {
	t.Helper()
	c := config(t, folder, forwardURL)
	c.Failed = failed
	process, err := target.StartProcess(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	logscan.Watch(t, func() string {
		printed, err := os.ReadFile(filepath.Join(folder, target.LogName))
		if err != nil || len(printed) == 0 {
			t.Errorf("the process's log: %d bytes, %v", len(printed), err)
		}
		return string(printed)
	}, process.Target().SigningSecret)
	t.Cleanup(func() {
		if err := process.Close(); err != nil {
			t.Error(err)
		}
	})
	return process
}

func config(t *testing.T, folder, forwardURL string) target.ProcessConfig {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return target.ProcessConfig{
		Program: program,
		Folder:  folder,

		ForwardURL: forwardURL,
	}
}
