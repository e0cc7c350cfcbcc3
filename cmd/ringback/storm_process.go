package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/proof/storm"
	"github.com/ringback/ringback/internal/proof/storm/target"
)

// runProcess plays against a stack of storm's own.
func (f *stormFlags) runProcess(ctx context.Context, plan *storm.Plan, out, errOut io.Writer) (err error) {
	folder := f.data
	if folder == "" {
		if folder, err = os.MkdirTemp("", "ringback-storm-"); err != nil {
			return fmt.Errorf("data folder: %w", err)
		}
	}
	posted := false
	defer func() {
		// Whatever became of the storm, the table is what is left of it.
		keep := err != nil && (posted || errors.Is(err, target.ErrProcess))
		switch {
		case keep:
			err = fmt.Errorf("%w\nThe table is kept in %s, and what the stack printed in %s", err, folder, filepath.Join(folder, target.LogName))
		case f.data == "":
			err = errors.Join(err, os.RemoveAll(folder))
		}
	}()
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	receiver, err := storm.StartReceiver(ctx, storm.Faults(plan.Mix.Seed, f.faults))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, receiver.Close()) }()

	// Where the stack ends by itself, so does the storm.
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	process, err := target.StartProcess(ctx, target.ProcessConfig{
		Program:    program,
		Folder:     folder,
		ForwardURL: receiver.URL,
		Failed:     end,
	})
	switch {
	case errors.Is(err, target.ErrTable), errors.Is(err, target.ErrSecret):
		return fmt.Errorf("%w: give it a folder of its own with --data, or none", err)
	case err != nil:
		return err
	}
	defer func() { err = errors.Join(err, process.Close()) }()

	shown := showProgress(errOut, len(plan.Deliveries), reportEvery)
	moments := target.Moments(plan.Mix.Seed, f.kills, len(plan.Deliveries))
	kill := process.KillAt(ctx, moments, func(down time.Duration) {
		shown.note(fmt.Sprintf("killed the stack; after %d ms it answers again", down.Milliseconds()))
	})
	posted = true
	seen, err := f.play(ctx, plan, process.Target(), receiver, kill, shown)
	shown.end()
	if err != nil {
		return err
	}
	seen.Kills, seen.Unmarked = process.Kills(), local.Unmarked
	return f.report(plan, seen, out)
}
