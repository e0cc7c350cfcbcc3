package main

import "github.com/ringback/ringback/internal/environment"

// ReadEnvironment reads the configuration, so that a test sees which variables it
// asks for.
func ReadEnvironment(e *environment.Environment) { readConfig(e) }
