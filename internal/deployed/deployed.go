// Package deployed finds the parts of a stack that was deployed by CloudFormation.
package deployed

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"

	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

// Outputs of template.yaml.
const (
	outputURLBase   = "WebhookUrlBase"
	outputSecretARN = "SecretArn"
	OutputTable     = "TableName"
	OutputTopicARN  = "AlertsTopicArn"
	OutputOpsARN    = "OpsTopicArn"
)

// Errors that say what is missing.
var (
	// ErrCredentials: there are no AWS credentials.
	ErrCredentials = errors.New("no AWS credentials")
	// ErrNoStack: no stack has that name, or it is none of ringback.
	ErrNoStack = errors.New("no such stack")
)

// Config loads the AWS configuration as the AWS command line does. Its errors say what is
// missing. An empty region leaves it to the configuration.
func Config(ctx context.Context, region string) (aws.Config, error) {
	return ConfigOf(ctx, "", region)
}

// ConfigOf is Config with a profile of the AWS configuration. An empty one leaves it to the
// environment.
func ConfigOf(ctx context.Context, profile, region string) (aws.Config, error) {
	options := []func(*config.LoadOptions) error{config.WithRegion(region), config.WithLogger(logging.Nop{})}
	if profile != "" {
		options = append(options, config.WithSharedConfigProfile(profile))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return aws.Config{}, errors.New("no AWS region: set AWS_REGION, or give --region")
	}
	if base := aws.ToString(cfg.BaseEndpoint); base != "" {
		if u, err := url.Parse(base); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return aws.Config{}, errors.New("AWS_ENDPOINT_URL is not a URL such as http://127.0.0.1:4566: set it to one, or unset it for AWS itself")
		}
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return aws.Config{}, fmt.Errorf("%w: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, as for \"make deploy\" (%w)", ErrCredentials, err)
	}
	return cfg, nil
}

// Stack is a deployed stack.
type Stack struct {
	// URL is the webhook's, with the token.
	URL     string
	Secret  credential.Secret
	Outputs map[string]string
}

// Read reads a deployed stack. It returns an error if one of the outputs needed, or one that the
// URL takes, is missing.
func Read(ctx context.Context, cfg aws.Config, stack string, needed ...string) (Stack, error) {
	outputs, err := readOutputs(ctx, cfg, stack, append(needed, outputURLBase, outputSecretARN))
	if err != nil {
		return Stack{}, err
	}
	value, err := secretsmanager.NewFromConfig(cfg).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
		SecretId: aws.String(outputs[outputSecretARN]),
	})
	if err != nil {
		return Stack{}, fmt.Errorf("read the token: %w", err)
	}
	secret, err := credential.Parse(aws.ToString(value.SecretString))
	if err != nil {
		return Stack{}, fmt.Errorf("the stack's secret: %w", err)
	}
	base := emulated(outputs[outputURLBase], aws.ToString(cfg.BaseEndpoint))
	return Stack{URL: base + "/" + secret.Token, Secret: secret, Outputs: outputs}, nil
}

// emulated returns where an emulator of AWS at endpoint serves what API Gateway would at base: at the API's name below
// its own, as LocalStack and fakecloud do. Any other base stays as it is, and so does one with the endpoint of AWS or
// none.
func emulated(base, endpoint string) string {
	at, err := url.Parse(base)
	if err != nil {
		return base
	}
	api, _, ok := strings.Cut(at.Hostname(), ".execute-api.")
	by, err := url.Parse(endpoint)
	if !ok || err != nil || by.Host == "" || strings.Contains(by.Hostname(), ".amazonaws.") {
		return base
	}
	host := by.Hostname()
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsLoopback() {
		host = "localhost" // an address has no names below it
	}
	at.Scheme, at.Host = by.Scheme, api+".execute-api."+host
	if port := by.Port(); port != "" {
		at.Host += ":" + port
	}
	return at.String()
}

// Settings are the parameters and the outputs that a stack has now. Both are empty if there is no
// such stack.
type Settings struct{ Parameters, Outputs map[string]string }

// ReadSettings reads the parameters and the outputs of a stack, which need not exist.
func ReadSettings(ctx context.Context, cfg aws.Config, stack string) (Settings, error) {
	found, err := describe(ctx, cfg, stack)
	if errors.Is(err, ErrNoStack) {
		return Settings{}, nil
	}
	return found, err
}

func describe(ctx context.Context, cfg aws.Config, stack string) (Settings, error) {
	described, err := cloudformation.NewFromConfig(cfg).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(stack)})
	if err != nil {
		hint := "does nobody listen there?"
		if answer := smithy.APIError(nil); errors.As(err, &answer) {
			hint = "is it deployed there?"
			if answer.ErrorCode() == "ValidationError" && strings.Contains(answer.ErrorMessage(), "does not exist") {
				err = fmt.Errorf("%w: %w", ErrNoStack, err)
			}
		}
		return Settings{}, fmt.Errorf("describe stack %q in %s (%s): %w", stack, cfg.Region, hint, err)
	}
	found := Settings{Parameters: make(map[string]string), Outputs: make(map[string]string)}
	for _, s := range described.Stacks {
		for _, p := range s.Parameters {
			found.Parameters[aws.ToString(p.ParameterKey)] = aws.ToString(p.ParameterValue)
		}
		for _, o := range s.Outputs {
			found.Outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
		}
	}
	return found, nil
}

// readOutputs reads the outputs of a deployed stack, which must have those needed.
func readOutputs(ctx context.Context, cfg aws.Config, stack string, needed []string) (map[string]string, error) {
	found, err := describe(ctx, cfg, stack)
	if err != nil {
		return nil, err
	}
	return found.Outputs, found.check(stack, needed)
}

// check returns an error unless the stack has the outputs needed.
func (s Settings) check(stack string, needed []string) error {
	var missing []string
	for _, name := range needed {
		if s.Outputs[name] == "" {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return otherStack(fmt.Sprintf("stack %q has no output %s: is it a stack of ringback, deployed to its end?", stack, strings.Join(missing, " and no ")))
	}
	return nil
}

// otherStack says why a stack is none of ringback.
type otherStack string

func (e otherStack) Error() string        { return string(e) }
func (e otherStack) Is(target error) bool { return target == ErrNoStack }

// Table returns the events table of a deployed stack, and what else the stack has. The error
// wraps [ErrNoStack] if there is none.
func Table(ctx context.Context, cfg aws.Config, stack string) (table.Store, Settings, error) {
	found, err := describe(ctx, cfg, stack)
	if err == nil {
		err = found.check(stack, []string{OutputTable})
	}
	if err != nil {
		return nil, Settings{}, err
	}
	return dynamostore.New(cfg, found.Outputs[OutputTable]), found, nil
}
