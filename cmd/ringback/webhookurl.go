package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go/logging"
	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/credential"
)

// Outputs of template.yaml that are read here.
const (
	outputURLBase   = "WebhookUrlBase"
	outputSecretARN = "SecretArn"
)

func newWebhookURL() *cobra.Command {
	var stack, region string
	c := &cobra.Command{
		Use:   "webhook-url",
		Short: "Print the URL of a deployed stack, to paste into JustCall",
		Long: `webhook-url reads the address and the token of a deployed stack and prints the
whole URL. It ends with the token: who has it can post events, so treat it like
a password. It needs the AWS credentials that "sam deploy" needs.`,
		Example: `  ringback webhook-url --stack ringback --region eu-central-1`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			url, err := webhookURL(c.Context(), stack, region)
			if err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), url)
			return nil
		},
	}
	c.Flags().StringVar(&stack, "stack", "ringback", "name of the CloudFormation stack")
	c.Flags().StringVar(&region, "region", "", "AWS region (default: as your AWS configuration says)")
	return c
}

func webhookURL(ctx context.Context, stack, region string) (string, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(region), config.WithLogger(logging.Nop{}))
	if err != nil {
		return "", fmt.Errorf("AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return "", errors.New("no AWS region: set AWS_REGION, or give --region")
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return "", fmt.Errorf("no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, as for \"make deploy\" (%w)", err)
	}
	described, err := cloudformation.NewFromConfig(cfg).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(stack)})
	if err != nil {
		return "", fmt.Errorf("describe stack %q in %s (is it deployed there?): %w", stack, cfg.Region, err)
	}
	outputs := make(map[string]string)
	for _, s := range described.Stacks {
		for _, o := range s.Outputs {
			outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
		}
	}
	if outputs[outputURLBase] == "" || outputs[outputSecretARN] == "" {
		return "", fmt.Errorf("stack %q has no outputs %s and %s: is it a stack of ringback, deployed to its end?", stack, outputURLBase, outputSecretARN)
	}
	value, err := secretsmanager.NewFromConfig(cfg).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(outputs[outputSecretARN])})
	if err != nil {
		return "", fmt.Errorf("read the token: %w", err)
	}
	secret, err := credential.Parse(aws.ToString(value.SecretString))
	if err != nil {
		return "", fmt.Errorf("the stack's secret: %w", err)
	}
	return outputs[outputURLBase] + "/" + secret.Token, nil
}
