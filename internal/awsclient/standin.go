package awsclient

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// StandInCredentials are for stand-ins of AWS services, which ask for credentials
// and check none, so that an account's own are never sent to them.
var StandInCredentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
})

// StandIn returns the configuration for a stand-in at endpoint.
func StandIn(endpoint string) aws.Config {
	return aws.Config{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(endpoint),
		Credentials:  StandInCredentials,
		HTTPClient:   NewHTTPClient(),
		Retryer:      NewRetryer,
	}
}
