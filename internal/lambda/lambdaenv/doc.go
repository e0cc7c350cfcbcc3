// Package lambdaenv is what the mains of the Lambda functions share: it reads a
// function's environment, reports all of its faults at once, and serves the handler.
//
// template.yaml sets every variable that a function reads; a test in
// internal/proof/template compares the two. Lambda itself sets the region and the credentials. See
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html.
//
// It does not import the SDK's configuration package, which would read files that a
// function does not have at every cold start.
package lambdaenv
