package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/ringback/ringback/internal/justcall"
	"github.com/ringback/ringback/internal/table"
)

// mark is how far a list was looked at: all rows up to it.
type mark struct {
	ID int64     `json:"id"` // 0 if no row was there
	At time.Time `json:"at"`
}

// progress is what is kept of a list between two runs.
type progress struct {
	// Ran is when the last run that got to its end ended.
	Ran time.Time `json:"ran,omitzero"`
	// Mark is nil before the first run.
	Mark *mark `json:"mark,omitzero"`
	// Rest is a walk that a run had no time for.
	Rest *rest `json:"rest,omitzero"`
	// Day is the last day all of whose rows were looked at, and Look such a look that a run
	// had no time for.
	Day  string `json:"day,omitzero"`
	Look *look  `json:"look,omitzero"`
	// Sent are rows that were put in, and when, by the digests of their deliveries.
	Sent map[string]time.Time `json:"sent,omitzero"`
}

// rest is the part of a list from a place to a mark.
type rest struct {
	From justcall.Cursor `json:"from"`
	To   mark            `json:"to"`
}

// look is a comparison of some days.
type look struct {
	First  string          `json:"first"`
	Last   string          `json:"last"`
	From   justcall.Cursor `json:"from"`
	Listed int             `json:"listed"`
	Found  int             `json:"found"`
}

// account is whose calls are put in.
type account struct {
	Name string `json:"name"`
}

// Names of the items.
const (
	accountItem = "ACCOUNT"
	callsItem   = "CALLS"
	textsItem   = "TEXTS"
	hooksItem   = "HOOKS"
	lateItems   = "LATE#" // with a number
	// importPrefix begins those of an import.
	importPrefix = "IMPORT#"
)

// errDamaged means that what is kept cannot be read: another version of the program wrote
// it, or something else did.
var errDamaged = errors.New("what is kept of earlier runs cannot be read")

// load reads what is kept under a name into to, and returns its version, 0 if there is
// nothing.
func load(ctx context.Context, store table.Store, name string, to any) (version int64, err error) {
	item, err := table.Get(ctx, store, table.ReconcileKey(name))
	if err != nil {
		return 0, fmt.Errorf("read how far runs have come: %w", err)
	}
	if item == nil {
		return 0, nil
	}
	return decode(item, to)
}

func decode(item table.Item, to any) (version int64, err error) {
	if json.Unmarshal([]byte(table.ReadReconcile(item)), to) != nil {
		err = errDamaged
	}
	return table.VersionOf(item), err
}

// loadAnew does what load does, and takes what cannot be read for nothing.
func loadAnew[T any](ctx context.Context, store table.Store, name string, to *T) (version int64, err error) {
	version, err = load(ctx, store, name, to)
	if errors.Is(err, errDamaged) {
		*to, err = *new(T), nil
	}
	return version, err
}

// errBeside means that another run has come further meanwhile.
var errBeside = errors.New("another run is under way")

// save keeps what follows a version.
func save(ctx context.Context, store table.Store, name string, what any, was int64) error {
	text, err := json.Marshal(what, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("keep how far runs have come: %w", err)
	}
	updated, err := store.Update(ctx, table.ReconcileItem(name, string(text), was), was)
	switch {
	case err != nil:
		return fmt.Errorf("keep how far runs have come: %w", err)
	case !updated:
		return errBeside
	}
	return nil
}

// LastRun returns when a run last got to the end of JustCall's calls; zero if none ever did.
func LastRun(ctx context.Context, store table.Store) (time.Time, error) {
	var p progress
	_, err := load(ctx, store, callsItem, &p)
	return p.Ran, err
}
