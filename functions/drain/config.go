package main

import (
	"github.com/ringback/ringback/internal/lambda/lambdaenv"
	"github.com/ringback/ringback/internal/table"
)

// config is the function's environment; template.yaml sets all of it.
type config struct {
	table     lambdaenv.Table
	retention table.Retention
}

// readConfig reads every variable. e.Err reports the faults.
func readConfig(e *lambdaenv.Environment) config {
	return config{table: e.Table(), retention: e.Retention("RETENTION_DAYS")}
}
