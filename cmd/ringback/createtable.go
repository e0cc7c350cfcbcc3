package main

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/table/schema"
)

func newCreateTable() *cobra.Command {
	var endpoint, name string
	c := &cobra.Command{
		Use:   "create-table",
		Short: "Create the events table in a DynamoDB stand-in on this machine",
		Long: `create-table creates the events table, with its keys and indexes, in a DynamoDB
stand-in on this machine, for "sam local invoke". On AWS, "make deploy" creates
the table.`,
		Example: `  ringback create-table --endpoint http://127.0.0.1:8000 --name ringback-local`,
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case !isHTTP(endpoint):
				return errors.New("--endpoint is not a URL such as http://127.0.0.1:8000")
			case name == "":
				return errors.New("--name is empty: pass a name such as ringback-local")
			}
			client := dynamodb.NewFromConfig(awsclient.StandIn(endpoint))
			_, err := client.CreateTable(c.Context(), schema.Events().CreateTableInput(name))
			var exists *types.ResourceInUseException
			var answer smithy.APIError
			switch {
			case errors.As(err, &exists):
				fmt.Fprintf(c.OutOrStdout(), "table %s already exists\n", name)
				return nil
			case errors.As(err, &answer):
				return fmt.Errorf("create table %s at %s: %w", name, endpoint, err)
			case err != nil:
				return fmt.Errorf("create table %s: %w\nIs a DynamoDB listening at %s? \"make dynalite\" starts one", name, err, endpoint)
			}
			fmt.Fprintf(c.OutOrStdout(), "table %s created at %s\n", name, endpoint)
			return nil
		},
	}
	c.Flags().StringVar(&endpoint, "endpoint", "http://127.0.0.1:8000", "URL of the DynamoDB stand-in")
	c.Flags().StringVar(&name, "name", "ringback-local", "name of the table")
	return c
}
