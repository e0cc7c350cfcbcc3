// Command cmd prints the tables of docs/scale.md and docs/operations.md.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/ringback/ringback/internal/proof/scale"
)

func main() {
	model, errLoad := scale.Load()
	tables, err := model.Tables()
	for _, table := range tables {
		_, _ = fmt.Fprintf(os.Stdout, "%s\n\n%s\n", table.Name, table.Text)
	}
	if err := errors.Join(errLoad, err); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
