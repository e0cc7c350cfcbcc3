// Command rehearsal deploys the stack to an emulator of AWS on this machine, without Docker and without an AWS account,
// and finds out whether it does there what it is to do on AWS.
//
// It is two programs in one: the emulator calls it in place of Docker, see package container.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/proof/rehearsal/container"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	if socket := os.Getenv(container.SocketEnv); socket != "" {
		os.Exit(container.Run(ctx, socket, os.Args[1:], os.Stdout, os.Stderr))
	}
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program without its process: it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand()
	c.SetArgs(args)
	c.SetOut(stdout)
	c.SetErr(stderr)
	if err := c.ExecuteContext(ctx); err != nil {
		_, _ = fmt.Fprintf(stderr, "rehearsal: %v\n", err)
		return 1
	}
	return 0
}

// options say what to rehearse, and with what.
type options struct {
	fakecloud, version string
	sam, ringback      string
	address            string
	deliveries         int
	serve              bool
}

func newCommand() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "rehearsal",
		Short: "Deploy the stack to an emulator of AWS and find out whether it keeps its promises there",
		Long: `rehearsal starts an emulator of AWS, fakecloud, on this machine, runs "sam build" and "sam deploy",
posts to the deployed stack, takes its table away, updates it and deletes it. Then it deploys to
another emulator, which checks permissions and signatures. It prints what held, and ends with an error
at the first that does not.

It runs in the folder of the source. Its only AWS is the emulator: it reads no AWS configuration and
no credentials. Everything listens on this machine only, and ends with it.`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(c *cobra.Command, _ []string) error { return o.rehearse(c.Context(), c.OutOrStdout()) },
	}
	f := c.Flags()
	f.StringVar(&o.fakecloud, "fakecloud", ".tools/fakecloud/bin/fakecloud", "the emulator's program")
	f.StringVar(&o.version, "fakecloud-version", "", "the version that it must have (default: any)")
	f.StringVar(&o.sam, "sam", ".tools/venv/bin/sam", "the SAM command")
	f.StringVar(&o.ringback, "ringback", ".build/ringback", "the ringback command")
	f.StringVar(&o.address, "addr", "127.0.0.1:4566", "address of the emulator, on this machine")
	f.BoolVar(&o.serve, "serve", false, "start the emulator only, and leave it to you until Ctrl-C")
	f.IntVar(&o.deliveries, "deliveries", 1000, "how many deliveries each storm posts")
	return c
}

// rehearse does all of it. What it has printed and made is kept where it fails.
func (o *options) rehearse(ctx context.Context, out io.Writer) (err error) {
	if err := o.check(ctx); err != nil {
		return err
	}
	if err := isolate("http://" + o.address); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "ringback-rehearsal-")
	if err != nil {
		return fmt.Errorf("folder: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w\nNothing is deployed any more. What the programs printed is kept in %s", err, folder)
			return
		}
		err = os.RemoveAll(folder)
	}()
	if o.serve {
		return o.lend(ctx, filepath.Join(folder, "served"), out)
	}
	r := &report{now: time.Now, out: out}
	began := r.now()
	p := &production{options: o, report: r, folder: folder}
	if err := p.play(ctx); err != nil {
		if ctx.Err() != nil {
			return errors.New("ended before its time")
		}
		return err
	}
	_, err = fmt.Fprintf(out, "\nAll %d held, in %v.\n", r.kept, r.now().Sub(began).Round(time.Second))
	return err
}

// lend starts an emulator for whoever asked for it.
func (o *options) lend(ctx context.Context, folder string, out io.Writer) error {
	e, err := o.startEmulator(ctx, folder)
	if err != nil {
		return err
	}
	defer e.close()
	if _, err := fmt.Fprintf(out, "The emulator answers on %s, until Ctrl-C. What it prints is in %s.\n", o.address, folder); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case <-e.ended:
		return errors.New("the emulator has ended by itself")
	}
}

// production is one run of the rehearsal.
type production struct {
	*options
	*report
	folder string
}

func (p *production) play(ctx context.Context) error {
	programs, err := filepath.Abs(filepath.Join(p.folder, "storm"))
	if err != nil {
		return err
	}
	b := &build{sam: p.sam, storm: programs, template: filepath.Join(p.folder, "build", "template.yaml"), log: p.folder}
	if err := p.step("the storm is built", func() error { return b.buildStorm(ctx) }); err != nil {
		return err
	}
	if err := p.step("sam build", func() error { return b.buildFunctions(ctx, "") }); err != nil {
		return err
	}
	for _, act := range []struct {
		name   string
		strict bool
	}{{"open", false}, {"strict", true}} {
		if act.strict {
			_, _ = fmt.Fprintln(p.out, "\nWith --iam strict --verify-sigv4:")
		}
		if err := p.act(ctx, b, act.name, act.strict); err != nil {
			return err
		}
	}
	return nil
}

// report prints what held, line by line.
type report struct {
	out  io.Writer
	now  func() time.Time
	kept int
}

// step does one thing and prints whether it held, and how long it took.
func (r *report) step(name string, do func() error) error {
	began := r.now()
	err := do()
	verdict := "kept"
	if err != nil {
		verdict = "BROKEN"
	} else {
		r.kept++
	}
	if _, printed := fmt.Fprintf(r.out, "%-6s  %-72s  %6.1f s\n", verdict, name, r.now().Sub(began).Seconds()); printed != nil {
		return printed
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
