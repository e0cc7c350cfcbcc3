// Package lambdaenv is what the main packages of the Lambda functions have
// in common: it reads a function's environment, reports all of its faults at
// once, and serves the handler that is made from it.
//
// template.yaml sets every variable that a function reads; package
// lambdaenvtest compares the two. Lambda itself sets the region and the
// credentials. See
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html.
//
// It uses no SDK configuration package, which would cost every cold start the
// reading of files that a function does not have.
package lambdaenv
