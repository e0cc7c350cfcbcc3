package main

import "github.com/ringback/ringback/internal/lambda/lambdaenv"

// ReadEnvironment reads the configuration, so that a test can see which variables
// it reads.
func ReadEnvironment(e *lambdaenv.Environment) { readConfig(e) }

// Main is [main].
func Main() { main() }
