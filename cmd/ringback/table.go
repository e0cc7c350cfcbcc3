package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/deployed"
	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/bolt"
	"github.com/ringback/ringback/internal/table/schema"
)

// tableFlags say which events table a command reads: the one in a local data folder
// or the one of a deployed stack.
type tableFlags struct{ data, stack, region string }

func (f *tableFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.data, "data", defaultData, "data folder of the local stack")
	c.Flags().StringVar(&f.stack, "stack", "", "read the table of this CloudFormation stack instead")
	c.Flags().StringVar(&f.region, "region", "", "AWS region of the stack (default: the one in your AWS configuration)")
	c.MarkFlagsMutuallyExclusive("data", "stack")
}

// errNoData means that a folder has no table.
var errNoData = errors.New("no stack has run")

// afterDamage says what to do about [bolt.ErrBroken].
const afterDamage = "Put a copy of it back, or move it away to begin anew: docs/operations.md#a-damaged-item"

// arguments returns the flags as they are typed, each after a blank.
func (f *tableFlags) arguments() (text string) {
	for _, flag := range []struct{ name, value, unset string }{
		{"data", f.data, defaultData}, {"stack", f.stack, ""}, {"region", f.region, ""},
	} {
		if flag.value != flag.unset {
			text += fmt.Sprintf(" --%s %s", flag.name, shellQuote(flag.value))
		}
	}
	return text
}

// read opens the table, calls job with it, and closes it.
func (f *tableFlags) read(ctx context.Context, job func(table.Store) error) error {
	store, closeStore, err := f.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(job(store), closeStore())
}

// open opens the table. The caller must call closeStore.
func (f *tableFlags) open(ctx context.Context) (store table.Store, closeStore func() error, err error) {
	if f.stack != "" {
		cfg, err := deployed.Config(ctx, f.region)
		if err != nil {
			return nil, nil, err
		}
		store, _, err = deployed.Table(ctx, cfg, f.stack)
		return store, func() error { return nil }, err
	}
	path := filepath.Join(f.data, local.StoreFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%w in %s yet: start one with \"ringback serve\", or choose another with --data or --stack", errNoData, f.data)
	}
	opened, err := bolt.Open(path, schema.Events())
	switch {
	case errors.Is(err, bolt.ErrLocked):
		return nil, nil, fmt.Errorf("%w\nStop the \"ringback serve\" that runs there first", err)
	case errors.Is(err, bolt.ErrBroken):
		return nil, nil, fmt.Errorf("%w\n%s", err, afterDamage)
	case err != nil:
		return nil, nil, err
	}
	store, check := watch(opened)
	return store, func() error { return errors.Join(check(), opened.Close()) }, nil
}

// errDamaged means that a command has not seen all of a table.
var errDamaged = errors.New("the table has damaged items, which were left out: docs/operations.md#a-damaged-item says what to do")

// watched notes whether damaged items are left out of what a table returns.
type watched struct {
	table.Eraser
	damaged atomic.Bool
}

// watch returns a store, and what returns [errDamaged] if damaged items were left out of
// what it returned.
func watch(store table.Eraser) (_ table.Eraser, check func() error) {
	w := &watched{Eraser: store}
	return w, func() error {
		if w.damaged.Load() {
			return errDamaged
		}
		return nil
	}
}

func (w *watched) note(page table.Page, err error) (table.Page, error) {
	if page.Damaged > 0 {
		w.damaged.Store(true)
	}
	return page, err
}

// Query implements [table.Store].
func (w *watched) Query(ctx context.Context, q table.Query) (table.Page, error) {
	return w.note(w.Eraser.Query(ctx, q))
}

// Scan implements [table.Store].
func (w *watched) Scan(ctx context.Context, prefix string, after table.Cursor) (table.Page, error) {
	return w.note(w.Eraser.Scan(ctx, prefix, after))
}
