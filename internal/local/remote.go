package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/itemjson"
)

// Remote is the table of a stack that is running on this machine, for commands.
type Remote struct {
	// Settings are those of the stack.
	Settings Settings

	access access
}

var _ table.Eraser = (*Remote)(nil)

// Settings are what commands have to do as the stack does.
type Settings struct {
	// Country is that of numbers without a country code; "" for none.
	Country string `json:"country,omitzero"`
	// Zone is the name of the zone in which times are told; "" for that of the machine.
	Zone string `json:"zone,omitzero"`
	// BusinessHours and Holidays are as [hours.Parse] reads them, in that zone.
	BusinessHours string `json:"business_hours,omitzero"`
	Holidays      string `json:"holidays,omitzero"`
}

// Where a running stack answers, beside hand acts.
const (
	pathSettings = "/settings"
	pathQuery    = "/query"
	pathScan     = "/scan"
	pathPut      = "/put"
	pathUpdate   = "/update"
	pathDelete   = "/delete"
)

// remoteErrors are errors of a store that keep their meaning on the way.
var remoteErrors = map[string]error{
	"too large": table.ErrTooLarge, "key": table.ErrKey, "value": table.ErrValue, "query": table.ErrQuery,
	"version": table.ErrVersion, "unavailable": table.ErrUnavailable,
}

type scanRequest struct {
	Prefix string       `json:"prefix"`
	After  table.Cursor `json:"after"`
}

type writeRequest struct {
	Item jsontext.Value `json:"item"`
	Was  int64          `json:"was,omitzero"`
}

type storeAnswer struct {
	Items   []jsontext.Value `json:"items,omitzero"`
	Next    table.Cursor     `json:"next,omitzero"`
	Damaged int              `json:"damaged,omitzero"`
	Done    bool             `json:"done,omitzero"`
	Error   string           `json:"error,omitzero"` // a key of remoteErrors, or the text of another error
}

// longestRequest is more than the largest item takes in JSON, in bytes.
const longestRequest = 4 << 20

// serveStore answers a request for the store. It reports false if it is for something else.
func (k *control) serveStore(w http.ResponseWriter, r *http.Request) bool {
	var answer storeAnswer
	var err error
	switch r.URL.Path {
	case pathSettings:
		writeJSON(w, k.settings)
		return true
	case pathQuery:
		var q table.Query
		if !readJSON(w, r, &q) {
			return true
		}
		answer, err = pageAnswer(k.store.Query(r.Context(), q))
	case pathScan:
		var s scanRequest
		if !readJSON(w, r, &s) {
			return true
		}
		answer, err = pageAnswer(k.store.Scan(r.Context(), s.Prefix, s.After))
	case pathPut, pathUpdate:
		var request writeRequest
		if !readJSON(w, r, &request) {
			return true
		}
		var item table.Item
		if item, err = itemjson.Decode(request.Item); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return true
		}
		if r.URL.Path == pathPut {
			answer.Done, err = k.store.Put(r.Context(), item)
		} else {
			answer.Done, err = k.store.Update(r.Context(), item, request.Was)
		}
	case pathDelete:
		var key table.Key
		if !readJSON(w, r, &key) {
			return true
		}
		err = k.items.Delete(r.Context(), key)
	default:
		return false
	}
	if err != nil {
		answer = storeAnswer{Error: err.Error()}
		for name, is := range remoteErrors {
			if errors.Is(err, is) {
				answer.Error = name
			}
		}
	}
	writeJSON(w, answer)
	return true
}

func pageAnswer(page table.Page, err error) (storeAnswer, error) {
	answer := storeAnswer{Items: make([]jsontext.Value, len(page.Items)), Next: page.Next, Damaged: page.Damaged}
	for i, item := range page.Items {
		if err == nil {
			answer.Items[i], err = itemjson.Encode(item)
		}
	}
	return answer, err
}

func readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	err := json.UnmarshalRead(io.LimitReader(r.Body, longestRequest), into)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
	}
	return err == nil
}

func writeJSON(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.MarshalWrite(w, answer) // whoever asked may be gone
}

// Connect returns the table of the stack that runs in a folder. The error wraps
// [ErrNotRunning] if none does, and [fs.ErrPermission] if it is somebody else's.
func Connect(ctx context.Context, folder string) (*Remote, error) {
	to, err := readAccess(folder)
	if err != nil {
		return nil, err
	}
	r := &Remote{access: to}
	if err := r.access.ask(ctx, pathSettings, struct{}{}, &r.Settings); err != nil {
		return nil, err
	}
	return r, nil
}

// readAccess reads how to reach the stack that runs in a folder.
func readAccess(folder string) (to access, err error) {
	text, err := os.ReadFile(filepath.Join(folder, ControlFile)) //nolint:gosec // G304: the user's own folder
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return to, ErrNotRunning
	case err != nil:
		return to, fmt.Errorf("find the running stack: %w", err)
	case json.Unmarshal(text, &to) != nil:
		return to, ErrNotRunning
	}
	return to, nil
}

// ask posts a request to a running stack and reads the answer. The error wraps
// [ErrNotRunning] if there is none.
func (a access) ask(ctx context.Context, path string, request, answer any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("ask the running stack: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+a.Address+path, bytes.NewReader(body))
	if err != nil {
		return ErrNotRunning
	}
	r.Header.Set("Authorization", a.Token)
	response, err := http.DefaultClient.Do(r)
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case err != nil:
		// The file of a stack that was killed is left behind.
		return fmt.Errorf("%w: nobody listens for commands", ErrNotRunning)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK || json.UnmarshalRead(response.Body, answer) != nil {
		return ErrNotRunning // somebody else has the port by now
	}
	return nil
}

func (r *Remote) ask(ctx context.Context, path string, request any) (storeAnswer, error) {
	var answer storeAnswer
	if err := r.access.ask(ctx, path, request, &answer); err != nil {
		return storeAnswer{}, err
	}
	switch is := remoteErrors[answer.Error]; {
	case is != nil:
		return storeAnswer{}, is
	case answer.Error != "":
		return storeAnswer{}, errors.New(answer.Error)
	}
	return answer, nil
}

func (r *Remote) page(ctx context.Context, path string, request any) (table.Page, error) {
	answer, err := r.ask(ctx, path, request)
	page := table.Page{Items: make([]table.Item, len(answer.Items)), Next: answer.Next, Damaged: answer.Damaged}
	for i, text := range answer.Items {
		if err == nil {
			page.Items[i], err = itemjson.Decode(text)
		}
	}
	if err != nil {
		return table.Page{}, fmt.Errorf("ask the running stack: %w", err)
	}
	return page, nil
}

// Query implements [table.Store].
func (r *Remote) Query(ctx context.Context, q table.Query) (table.Page, error) {
	return r.page(ctx, pathQuery, q)
}

// Scan implements [table.Store].
func (r *Remote) Scan(ctx context.Context, prefix string, after table.Cursor) (table.Page, error) {
	return r.page(ctx, pathScan, scanRequest{prefix, after})
}

// Put implements [table.Store].
func (r *Remote) Put(ctx context.Context, item table.Item) (created bool, err error) {
	return r.write(ctx, pathPut, item, 0)
}

// Update implements [table.Store].
func (r *Remote) Update(ctx context.Context, item table.Item, was int64) (updated bool, err error) {
	return r.write(ctx, pathUpdate, item, was)
}

func (r *Remote) write(ctx context.Context, path string, item table.Item, was int64) (done bool, err error) {
	var answer storeAnswer
	text, err := itemjson.Encode(item)
	if err == nil {
		answer, err = r.ask(ctx, path, writeRequest{text, was})
	}
	if err != nil {
		return false, fmt.Errorf("ask the running stack: %w", err)
	}
	return answer.Done, nil
}

// Delete implements [table.Eraser].
func (r *Remote) Delete(ctx context.Context, key table.Key) error {
	if _, err := r.ask(ctx, pathDelete, key); err != nil {
		return fmt.Errorf("ask the running stack: %w", err)
	}
	return nil
}
