package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/deployed"
)

func newWebhookURL() *cobra.Command {
	var stack, region string
	c := &cobra.Command{
		Use:   "webhook-url",
		Short: "Print the URL of a deployed stack, to paste into JustCall",
		Long: `webhook-url reads the address and the token of a deployed stack and prints the
whole URL. It ends with the token: anyone who has it can post events, so treat
it like a password. It needs the AWS credentials that "sam deploy" needs.

It warns on standard error if the stack alerts nobody.`,
		Example: `  ringback webhook-url --stack ringback --region eu-central-1`,
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := deployed.Config(c.Context(), region)
			if err != nil {
				return err
			}
			found, err := deployed.Read(c.Context(), cfg, stack)
			if err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), found.URL)
			warnOfSilence(c.Context(), c.ErrOrStderr(), cfg, found.Outputs)
			return nil
		},
	}
	c.Flags().StringVar(&stack, "stack", "ringback", "name of the CloudFormation stack")
	c.Flags().StringVar(&region, "region", "", "AWS region (default: the one in your AWS configuration)")
	return c
}
