// Package awsclient is what the program's clients of AWS services share: how
// they send, how they try again, and how an error is told without what was
// sent.
//
// It is linked into every Lambda function, where weight is start time, and
// needs none of the SDK's configuration packages.
package awsclient
