// Package lambdaruntime runs one real Lambda binary, as Lambda does.
//
// [Start] starts the binary in a process group of its own and serves the Lambda Runtime API
// (version 2018-06-01) to it on a loopback listener that no other process shares, so that a
// process which ran out of time can be killed and take nothing with it. [Process.Invoke] hands
// the process one event; the invocation is over when the process polls for the next one, not
// when it posts its answer, because whatever a handler still does after its answer belongs to
// the same invocation.
//
// It exists to test and to measure the deployed binaries and is no part of them.
//
// See https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
package lambdaruntime
