package local_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/local"
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
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+to.Address, strings.NewReader(`{"caller":"+14155550144"}`))
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
			t.Errorf("status %d, want %d", response.StatusCode, want)
		}
	}
}
