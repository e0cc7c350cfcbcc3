package main

import "github.com/ringback/ringback/internal/lambda/lambdaenv"

// ReadEnvironment reads what main reads.
func ReadEnvironment(e *lambdaenv.Environment) { readConfig(e) }
