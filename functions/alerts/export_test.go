package main

import "github.com/ringback/ringback/internal/environment"

// ReadEnvironment reads what main reads.
func ReadEnvironment(e *environment.Environment) { readConfig(e) }
