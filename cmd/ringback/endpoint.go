package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/deployed"
	"github.com/ringback/ringback/internal/local"
)

// endpointFlags say which stack's webhook a command is about.
type endpointFlags struct{ stack, region, data, webhookURL string }

func (f *endpointFlags) add(c *cobra.Command, stack string) {
	flags := c.Flags()
	flags.StringVar(&f.stack, "stack", stack, "name of the deployed CloudFormation stack")
	flags.StringVar(&f.region, "region", "", "AWS region of the stack (default: the one in your AWS configuration)")
	flags.StringVar(&f.data, "data", defaultData, "data folder of the local stack; the token is in it")
	flags.StringVar(&f.webhookURL, "webhook-url", "", "public URL of the local stack without the token, as for \"serve\"")
	c.MarkFlagsMutuallyExclusive("stack", "data")
	c.MarkFlagsMutuallyExclusive("stack", "webhook-url")
}

// endpoint is a stack's webhook.
type endpoint struct {
	// url is where JustCall posts to, with the token; "" if JustCall cannot reach it.
	url    string
	secret credential.Secret

	// Of a deployed stack only:
	cfg      aws.Config
	outputs  map[string]string
	settings deployed.Settings
}

// find finds the deployed stack or, if a folder or a public URL is given, the local one.
func (f *endpointFlags) find(ctx context.Context, atHome bool) (endpoint, error) {
	if atHome {
		secret, err := local.ReadSecret(f.data)
		if errors.Is(err, fs.ErrNotExist) {
			return endpoint{}, fmt.Errorf("no stack has run in %s yet: start one with \"ringback serve\", or choose a deployed one with --stack", f.data)
		} else if err != nil {
			return endpoint{}, err
		}
		e := endpoint{secret: secret}
		if f.webhookURL != "" {
			if !isHTTP(f.webhookURL) {
				return endpoint{}, errors.New("--webhook-url is not a URL such as https://my-tunnel.example.com/justcall")
			}
			e.url = strings.TrimRight(f.webhookURL, "/") + "/" + secret.Token
		}
		return e, nil
	}
	cfg, err := deployed.Config(ctx, f.region)
	if err != nil {
		return endpoint{}, err
	}
	found, err := deployed.Read(ctx, cfg, f.stack)
	if err != nil {
		return endpoint{}, err
	}
	settings, err := deployed.ReadSettings(ctx, cfg, f.stack)
	if err != nil {
		return endpoint{}, err
	}
	return endpoint{url: found.URL, secret: found.Secret, cfg: cfg, outputs: found.Outputs, settings: settings}, nil
}

// withoutToken shows where a webhook is, without what lets anybody post to it.
func withoutToken(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "(not a URL)"
	}
	return u.Scheme + "://" + u.Host + u.Path[:strings.LastIndexByte(u.Path, '/')+1] + "…"
}
