package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

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
	if errors.Is(err, bolt.ErrLocked) {
		return nil, nil, fmt.Errorf("%w\nStop the \"ringback serve\" that runs there first", err)
	}
	if err != nil {
		return nil, nil, err
	}
	return opened, opened.Close, nil
}
