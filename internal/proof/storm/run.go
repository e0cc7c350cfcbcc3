package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ringback/ringback/internal/deployed"
	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/proof/storm/play"
	"github.com/ringback/ringback/internal/proof/storm/target"
)

// playLocal plays against a stack of the storm's own.
func (o *options) playLocal(ctx context.Context, plan *play.Plan, out, errOut io.Writer) (err error) {
	folder, err := os.MkdirTemp("", "ringback-storm-")
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	started := false
	defer func() {
		// Whatever became of the storm, the table is what is left of it.
		if err != nil && (started || errors.Is(err, target.ErrProcess)) {
			err = fmt.Errorf("%w\nThe table is kept in %s, and what the stack printed in %s", err, folder, filepath.Join(folder, target.LogName))
			return
		}
		err = errors.Join(err, os.RemoveAll(folder))
	}()
	if o.ringback == "" {
		o.ringback = filepath.Join(folder, "ringback")
		build := exec.CommandContext(ctx, "go", "build", "-o", o.ringback, "github.com/ringback/ringback/cmd/ringback") //nolint:gosec // G204: our own folder
		if printed, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build ringback: %w\n%s", err, printed)
		}
	}
	receiver, err := play.StartReceiver(ctx, play.Faults(plan.Mix.Seed, o.Loss))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, receiver.Close()) }()

	ctx, end := context.WithCancelCause(ctx) // where the stack ends by itself, so does the storm
	defer end(nil)
	process := &target.Process{Program: o.ringback, Folder: folder, ForwardURL: receiver.URL, Failed: end}
	if err := process.Start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, process.Close()) }()
	started = true
	kill := process.KillAt(ctx, target.Moments(plan.Mix.Seed, o.kills, len(plan.Deliveries)), func() {
		_, _ = fmt.Fprintln(errOut, "killed the stack; it answers again")
	})
	shown := progress(errOut, len(plan.Deliveries))
	o.Done = func(n int) {
		shown(n)
		kill(n)
	}
	return o.play(ctx, plan, process.Target, receiver, out, func(seen *play.Result) {
		seen.Kills, seen.Unmarked = process.Kills, local.Unmarked
	})
}

// playDeployed plays against a stack on AWS, or on stand-ins for it.
func (o *options) playDeployed(ctx context.Context, plan *play.Plan, out, errOut io.Writer) (err error) {
	cfg, host, err := o.find(ctx)
	var to *play.Target
	var alerts *target.Subscription
	if err == nil {
		to, alerts, err = target.Open(ctx, cfg, o.parts, plan)
	}
	switch {
	case err != nil && ctx.Err() != nil && !errors.Is(err, target.ErrLeft):
		return fmt.Errorf("nothing was posted: %w", context.Cause(ctx))
	case err != nil:
		return fmt.Errorf("%w\nNothing was posted", err)
	}
	defer func() { err = errors.Join(err, alerts.Close()) }()
	_, _ = fmt.Fprintf(errOut, "posting to %s; alerts come through the temporary queue %s\n", host, alerts.QueueName)
	o.Done = progress(errOut, len(plan.Deliveries))
	err = o.play(ctx, plan, to, alerts, out, func(*play.Result) {})
	if errors.Is(err, play.ErrPlayed) {
		err = fmt.Errorf("%w: these deliveries were posted to it before, give another --seed", err)
	}
	return err
}

const askTime = time.Minute // for what is asked before anything is posted

// progress returns a function that prints now and then how many of n deliveries are through.
func progress(to io.Writer, n int) func(done int) {
	return func(done int) {
		if done == n {
			_, _ = fmt.Fprintf(to, "all %d deliveries through, waiting for the alerts\n", n)
		} else if done%2000 == 0 {
			_, _ = fmt.Fprintf(to, "%d of %d deliveries through\n", done, n)
		}
	}
}

// find fills in the parts of the stack and returns its host once its webhook answers.
func (o *options) find(ctx context.Context) (cfg aws.Config, host string, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	if cfg, err = deployed.Config(ctx, o.region); err != nil {
		return cfg, "", err
	}
	o.parts.SigningSecret = os.Getenv(signingSecretEnv)
	if o.stack != "" {
		stack, err := deployed.Read(ctx, cfg, o.stack, deployed.OutputTable, deployed.OutputTopicARN)
		if err != nil {
			return cfg, "", err
		}
		o.parts.URL, o.parts.SigningSecret = stack.URL, stack.Secret.SigningSecret
		o.parts.TableName, o.parts.TopicARN = stack.Outputs[deployed.OutputTable], stack.Outputs[deployed.OutputTopicARN]
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.parts.URL, nil)
	if err != nil || req.URL.Host == "" { // an error would quote the token
		return cfg, "", errors.New("--url is not a URL: it begins with https:// and ends with the token")
	}
	// As JustCall does before it saves a URL. No redirect is followed, to which the token would go.
	resp, err := deployed.NewTransport().RoundTrip(req)
	if err != nil {
		return cfg, "", fmt.Errorf("ask %s: %w", req.URL.Host, err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	var answer struct {
		Status string `json:"status"`
	}
	switch {
	case resp.StatusCode != http.StatusOK:
		err = fmt.Errorf("%s answers %s to the URL, and not 200: it ends with /justcall/ and the stack's token", req.URL.Host, resp.Status)
	case json.NewDecoder(resp.Body).Decode(&answer) != nil || answer.Status == "":
		err = fmt.Errorf("%s answers 200 to the URL, but not as ringback does: is that the stack's URL?", req.URL.Host)
	}
	return cfg, req.URL.Host, err
}
