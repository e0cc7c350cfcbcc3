package local_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/escalate"
	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/table"
)

// serverVariable names a folder. With it, the test binary serves that folder until
// it is killed; the other variables configure it.
const (
	serverVariable  = "RINGBACK_TEST_SERVER"
	forwardVariable = "RINGBACK_TEST_FORWARD" // a URL
	remindVariable  = "RINGBACK_TEST_REMIND"  // since when the clock is fast, and people are reminded
)

// fast is the time on a clock that has been fast since a time.
func fast(since time.Time) time.Time { return since.Add(600 * time.Since(since)) }

func TestMain(m *testing.M) {
	if folder := os.Getenv(serverVariable); folder != "" {
		fmt.Fprintln(os.Stderr, serve(folder))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// serve prints the URL and serves.
func serve(folder string) error {
	c := local.Config{
		Folder:       folder,
		Address:      anyPort,
		ForwardURL:   os.Getenv(forwardVariable),
		FirstPause:   time.Millisecond,
		LongestPause: time.Millisecond,
	}
	if since := os.Getenv(remindVariable); since != "" {
		begin, err := time.Parse(time.RFC3339Nano, since)
		if err != nil {
			return err
		}
		c.Plan, c.Callers, err = escalate.Settings{Zone: time.UTC, After: escalate.DefaultAfter, AgainAfter: escalate.DefaultAgainAfter}.Read()
		if err != nil {
			return err
		}
		c.SetClock(func() time.Time { return fast(begin) }, 5*time.Millisecond)
	}
	stack, err := local.Start(context.Background(), c, slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintln(os.Stdout, stack.URL)
	return stack.Wait(context.Background())
}

func TestEveryDeliveryThatWasAnswered200SurvivesKill(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	const rounds, writers = 2, 4
	answered := make(map[string]int) // count by partition
	token := ""
	for round := range rounds {
		server, url := startProcess(t, folder)
		if _, made, _ := strings.Cut(url, "/justcall/"); token == "" {
			token = made
		} else if made != token {
			t.Error("another token after a kill")
		}

		var (
			all  sync.WaitGroup
			mu   sync.Mutex
			acks int
		)
		for writer := range writers {
			all.Go(func() {
				// Post each event twice: a duplicate is answered 200 too.
				for i := 0; ; i++ {
					id := fmt.Sprintf("%d-%d-%d", round, writer, i/2)
					body := strings.Replace(missed, "call_1", id, 1)
					got, err := try(t.Context(), http.MethodPost, url, nil, strings.NewReader(body))
					if err != nil {
						return // killed
					}
					if got.status != http.StatusOK {
						t.Errorf("got %+v, want 200", got)
						return
					}
					mu.Lock()
					answered[got.Key]++
					if acks++; acks == 100+50*round {
						if err := server.Process.Kill(); err != nil {
							t.Error(err)
						}
					}
					mu.Unlock()
				}
			})
		}
		all.Wait()
		_ = server.Wait() // it was killed
		if acks < 100 {
			t.Fatalf("%d answers before the kill, want 100 or more", acks)
		}
	}

	stack := start(t, folder)
	stored := make(map[string]bool)
	for item, err := range table.All(t.Context(), stack.Store, table.Query{Index: table.GSI1, Partition: table.PhonePartition("+14155558765")}) {
		if err != nil {
			t.Fatal(err)
		}
		stored[table.Text(item, table.PK)] = true
	}
	for pk := range answered {
		if got := partition(t, stack.Store, pk); len(got) != 1 {
			t.Errorf("%s was answered 200 and is there %d times", pk, len(got))
		}
		if !stored[pk] {
			t.Errorf("%s was answered 200 and is not under its number", pk)
		}
	}
}

// startProcess serves a folder from another process with additional variables.
func startProcess(t *testing.T, folder string, settings ...string) (server *exec.Cmd, url string) {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	server = exec.CommandContext(t.Context(), executable)
	server.Env = append(append(os.Environ(), serverVariable+"="+folder), settings...)
	log := logscan.Writer(t)
	server.Stderr = log
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	url, err = bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("no URL: %v\n%s", err, log)
	}
	return server, strings.TrimSpace(url)
}

// If the process is killed between storing and marking, its next start sends the
// alert. It is repeated only if the receiver may have accepted it before.
func TestAKillAtAnyStepLosesNoAlert(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		// receive answers until the process is killed.
		receive func(w http.ResponseWriter, kill func())
		// delivered kills the process after the delivery is answered 200.
		delivered bool
	}{
		{
			name:      "stored, and not yet taken by anyone",
			receive:   func(w http.ResponseWriter, _ func()) { w.WriteHeader(http.StatusServiceUnavailable) },
			delivered: true,
		},
		{
			name:    "received, and not yet answered",
			receive: func(_ http.ResponseWriter, kill func()) { kill() },
		},
		{
			name: "taken, and not yet marked",
			receive: func(w http.ResponseWriter, kill func()) {
				w.WriteHeader(http.StatusOK)
				_ = http.NewResponseController(w).Flush()
				kill() // before the end of the answer
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			server := make(chan *exec.Cmd, 1)
			kill := sync.OnceFunc(func() { _ = (<-server).Process.Kill() })
			first := receiver{answer: func(_ int, w http.ResponseWriter, _ *http.Request) { tc.receive(w, kill) }}
			process, url := startProcess(t, folder, forwardVariable+"="+first.start(t))
			server <- process
			got, err := try(t.Context(), http.MethodPost, url, nil, strings.NewReader(sample(t, "call.missed")))
			if tc.delivered {
				if err != nil || got.status != http.StatusOK {
					t.Fatalf("post: %+v, %v, want 200", got, err)
				}
				first.await(t, func(ids []string) bool { return len(ids) > 1 })
				kill()
			} // otherwise the kill may come before the answer
			_ = process.Wait()

			var next receiver
			stack := startWith(t, local.Config{Folder: folder, ForwardURL: next.start(t)})
			settle(t, stack)
			// It is marked now and not repeated.
			post(t, stack.URL, sample(t, "call.missed"))
			settle(t, stack)
			if diff := cmp.Diff([]string{missedID}, next.ids()); diff != "" {
				t.Errorf("forwarded after the kill (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{missedID}, unique(first.ids())); diff != "" {
				t.Errorf("forwarded before the kill (-want +got):\n%s", diff)
			}
		})
	}
}

// The process is killed again and again. Whatever was answered 200 is alerted, and
// a kill repeats at most the alerts that were being published.
func TestAlertsSurviveKills(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var to receiver
	to.answer = func(n int, w http.ResponseWriter, _ *http.Request) {
		if n%10 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}
	forward := to.start(t)
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	answered := make(map[string]bool)
	for round := range rounds {
		server, url := startProcess(t, folder, forwardVariable+"="+forward)
		for i := 0; ; i++ {
			id, caller := fmt.Sprintf("r%d-%d", round, i), fmt.Sprintf("+1415556%d%03d", round, i)
			body := strings.NewReplacer("call_1", id, "+14155558765", caller).Replace(missed)
			got, err := try(t.Context(), http.MethodPost, url, nil, strings.NewReader(body))
			if err != nil {
				break // killed
			}
			answered["CALL#"+id+"/missed_call"] = true
			if got.status != http.StatusOK {
				t.Errorf("got %+v, want 200", got)
			}
			if i == 10+7*round {
				go func() { _ = server.Process.Kill() }()
			}
		}
		_ = server.Wait()
	}
	stack := startWith(t, local.Config{Folder: folder, ForwardURL: forward})
	settle(t, stack)

	taken, repeated := to.taken(), 0
	for id := range answered {
		if taken[id] == 0 {
			t.Errorf("%s was answered 200 and never alerted", id)
		}
	}
	for _, times := range taken {
		repeated += times - 1
	}
	if most := rounds * alert.MaxBatch; repeated > most {
		t.Errorf("%d alerts came again after %d kills, want %d at most", repeated, rounds, most)
	}
}
