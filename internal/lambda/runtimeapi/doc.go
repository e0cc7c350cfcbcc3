// Package runtimeapi serves a function's handler under Lambda's Runtime API: it asks for an
// invocation, calls the handler, posts what that returns, and asks again. See
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
//
// It takes the place of aws-lambda-go's loop, which uses net/http's client. There a request,
// its response and the handler are in three goroutines, which have to wake each other up; here
// one does it all. That takes an eighth off a delivery's processor time (docs/benchmarks.md).
//
// It knows what our functions need: one invocation at a time, bytes in and bytes out. It has no
// streamed responses, no X-Ray, and nothing of mobile clients.
package runtimeapi
