package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
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
	cfg, err := awsConfig(ctx, region)
	if err != nil {
		return "", err
	}
	outputs, err := readOutputs(ctx, cfg, stack, outputURLBase, outputSecretARN)
	if err != nil {
		return "", err
	}
	secret, err := readSecret(ctx, cfg, outputs[outputSecretARN])
	if err != nil {
		return "", err
	}
	return outputs[outputURLBase] + "/" + secret.Token, nil
}
