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

	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/tabletest"
)

// serverVariable makes the test binary serve the folder that it names, until
// it is killed.
const serverVariable = "RINGBACK_TEST_SERVER"

func TestMain(m *testing.M) {
	if folder := os.Getenv(serverVariable); folder != "" {
		fmt.Fprintln(os.Stderr, serve(folder, os.Getenv(serverVariable+"_TEMPLATE")))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// serve prints the URL and serves.
func serve(folder, template string) error {
	stack, err := local.Start(context.Background(), local.Config{Folder: folder, Template: template, Address: anyPort}, slog.New(slog.DiscardHandler))
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
	answered := make(map[string]int) // partition to how often
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
				// Each event twice: a duplicate is answered 200 as well.
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

// startProcess serves folder from another process.
func startProcess(t *testing.T, folder string) (server *exec.Cmd, url string) {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	server = exec.CommandContext(t.Context(), executable)
	server.Env = append(os.Environ(), serverVariable+"="+folder, serverVariable+"_TEMPLATE="+tabletest.TemplatePath(t))
	server.Stderr = os.Stderr
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	url, err = bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("no URL: %v", err)
	}
	return server, strings.TrimSpace(url)
}
