// Package e2e has tests only: the functions' real binaries, wired by what
// template.yaml says, on stand-ins for the table, the topic and the queues.
package e2e
