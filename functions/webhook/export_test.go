package main

import "github.com/ringback/ringback/internal/lambda/lambdaenv"

// ReadEnvironment reads the configuration, so that a test sees which variables it
// asks for.
func ReadEnvironment(e *lambdaenv.Environment) { readConfig(e) }
