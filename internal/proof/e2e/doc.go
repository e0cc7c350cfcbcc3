// Package e2e has tests only: the functions' real binaries, wired by what
// template.yaml says, on stand-ins for the table, the topic,
// the queues and the secret.
package e2e
