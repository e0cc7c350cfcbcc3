package main

import "github.com/ringback/ringback/internal/lambda/lambdaenv"

// ReadEnvironment reads the variables that main reads.
func ReadEnvironment(e *lambdaenv.Environment) { readConfig(e) }

// Main is [main].
func Main() { main() }
