// Package awsclient is shared by the program's clients of AWS services: how they
// send requests and retry them, and how to log an error without what was sent.
//
// Every Lambda function links it, so it imports none of the SDK's configuration
// packages, which would slow down cold starts.
package awsclient
