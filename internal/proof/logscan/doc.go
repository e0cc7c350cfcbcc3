// Package logscan finds a person's data and secrets in the logs of tests.
//
// Every test that makes log lines has them kept and scanned here: those of our
// own code through [Logger], those of a program through [Watch] or [Check]. A
// test fails at its end if a line holds a phone number, a name, an address, a
// text or a recording of the samples in events-samples/ and events/testdata/,
// or a token or secret, however it is spelled: quoted for JSON, for HTML or for
// a URL, in base64 or hexadecimal, as a list of bytes.
//
// The keys of items are no person's data: they hold the provider's ids. Nor are
// the names of lines, campaigns and calendars, which are the business's own.
package logscan
