package local_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

const missedCall = `{"event":"call.missed","timestamp":"2026-11-28T09:00:00Z","data":{"call_id":"c1","direction":"inbound","from":"+14155550144","to":"+14155550101"}}`

func TestARunningStackPerformsHandActs(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	done := local.Request{Caller: "+1 (415) 555-0144", Kind: followup.ActDone, By: "Kim", Why: "talked elsewhere"}
	if _, err := local.Ask(t.Context(), folder, done); !errors.Is(err, local.ErrNotRunning) {
		t.Errorf("error %v, want %v", err, local.ErrNotRunning)
	}
	stack := start(t, folder)
	if _, err := local.Ask(t.Context(), folder, done); !errors.Is(err, ledger.ErrUnknown) {
		t.Errorf("error %v, want %v", err, ledger.ErrUnknown)
	}
	response, err := client.Post(stack.URL, "application/json", strings.NewReader(missedCall))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	for _, waits := range []bool{true, false} {
		if err := stack.Settled(t.Context()); err != nil {
			t.Fatal(err)
		}
		if before, err := local.Ask(t.Context(), folder, done); err != nil || before.Waits != waits || before.Caller != "+14155550144" {
			t.Errorf("before: %+v, %v; want waits %t", before, err, waits)
		}
	}
	if _, err := local.Ask(t.Context(), folder, local.Request{Caller: "Jordan"}); !errors.Is(err, local.ErrRefused) {
		t.Errorf("error %v, want %v", err, local.ErrRefused)
	}
	if err := stack.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, local.ControlFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is left behind: %v", err)
	}
}

// Whoever can reach the port, but not read the folder, can do nothing.
func TestPromise6_CommandsNeedTheToken(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	start(t, folder)
	text, err := os.ReadFile(filepath.Join(folder, local.ControlFile))
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(folder, local.ControlFile)); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others can read the file: %v, %v", info.Mode(), err)
	}
	var to struct {
		Address string `json:"address"`
		Token   string `json:"token"`
	}
	if err := json.Unmarshal(text, &to); err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]int{to.Token: http.StatusOK, "": http.StatusUnauthorized, to.Token + "x": http.StatusUnauthorized} {
		for path, body := range map[string]string{
			"/": `{"caller":"+14155550144"}`, "/settings": "{}", "/query": `{"Partition":"P"}`, "/scan": `{"prefix":""}`,
			"/put": `{"item":{"PK":{"S":"P"},"SK":{"S":"S"}}}`, "/update": `{"item":{"PK":{"S":"P"},"SK":{"S":"S"}},"was":0}`,
			"/delete": `{"PK":"P","SK":"S"}`,
		} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+to.Address+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if token != "" {
				request.Header.Set("Authorization", token)
			}
			response, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if response.StatusCode != want {
				t.Errorf("%s: status %d, want %d", path, response.StatusCode, want)
			}
		}
	}
}

// Commands read and write the table of a running stack as if it were theirs.
func TestARunningStackLendsItsTable(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if _, err := local.Connect(t.Context(), folder); !errors.Is(err, local.ErrNotRunning) {
		t.Errorf("error %v, want %v", err, local.ErrNotRunning)
	}
	stack := start(t, folder)
	remote, err := local.Connect(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	item := table.Item{table.PK: attr.String("CALL#c1"), table.SK: attr.String("X"), "n": attr.Number("1"), "b": attr.Binary{0, 1, 255}}
	for _, want := range []bool{true, false} {
		if created, err := remote.Put(t.Context(), item); created != want || err != nil {
			t.Errorf("created %t, %v; want %t", created, err, want)
		}
	}
	item[table.Version] = attr.Number("1")
	if updated, err := remote.Update(t.Context(), item, table.Unversioned); !updated || err != nil {
		t.Errorf("updated %t, %v", updated, err)
	}
	for name, read := range map[string]func(context.Context) (table.Page, error){
		"query": func(ctx context.Context) (table.Page, error) {
			return remote.Query(ctx, table.Query{Partition: "CALL#c1", NewestFirst: true, Limit: 5})
		},
		"scan": func(ctx context.Context) (table.Page, error) { return remote.Scan(ctx, "CALL#", "") },
	} {
		page, err := read(t.Context())
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff([]table.Item{item}, page.Items); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if err := remote.Delete(t.Context(), table.KeyOf(item)); err != nil {
		t.Error(err)
	}
	if page, err := remote.Scan(t.Context(), "CALL#", ""); err != nil || len(page.Items) > 0 {
		t.Errorf("after the deletion: %v, %v", page, err)
	}
	for i := range 3 {
		if _, err := remote.Put(t.Context(), table.Item{table.PK: attr.String("P"), table.SK: attr.String(fmt.Sprint(i))}); err != nil {
			t.Fatal(err)
		}
	}
	first, err := remote.Query(t.Context(), table.Query{Partition: "P", Limit: 2})
	if err != nil || len(first.Items) != 2 {
		t.Fatal(first, err)
	}
	second, err := remote.Query(t.Context(), table.Query{Partition: "P", Limit: 2, After: first.Next})
	if err != nil || len(second.Items) != 1 {
		t.Error(second, err)
	}
	if _, err := remote.Query(t.Context(), table.Query{}); !errors.Is(err, table.ErrQuery) {
		t.Errorf("error %v, want %v", err, table.ErrQuery)
	}
	if _, err := remote.Put(t.Context(), table.Item{table.PK: attr.String("P")}); !errors.Is(err, table.ErrKey) {
		t.Errorf("error %v, want %v", err, table.ErrKey)
	}
	if err := stack.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Query(t.Context(), table.Query{Partition: "P"}); !errors.Is(err, local.ErrNotRunning) {
		t.Errorf("error %v, want %v", err, local.ErrNotRunning)
	}
}
