// Command cmd prints the tables of docs/scale.md and docs/operations.md.
package main

import (
	"fmt"
	"os"

	"github.com/ringback/ringback/internal/proof/scale"
)

func main() {
	if err := run(); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	model, err := scale.Load()
	if err != nil {
		return err
	}
	tables, err := model.Tables()
	for _, table := range tables {
		_, _ = fmt.Fprintf(os.Stdout, "%s\n\n%s\n", table.Name, table.Text)
	}
	return err
}
