package main

import "github.com/ringback/ringback/internal/environment"

// config is the function's environment; template.yaml sets all of it.
type config struct {
	table environment.Table
}

// readConfig reads every variable; the environment tells what is wrong.
func readConfig(e *environment.Environment) config {
	return config{table: e.Table()}
}
