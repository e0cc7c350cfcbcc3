// Command cmd prints the tables of docs/scale.md and docs/operations.md. It reads template.yaml in the
// folder that it is started in.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/ringback/ringback/internal/proof/scale"
)

func main() {
	if err := run(os.Stdout, "template.yaml"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(out io.Writer, template string) error {
	model, err := scale.Load(template)
	if err != nil {
		return err
	}
	for _, table := range append(model.Tables(), model.Bill()...) {
		if _, err := fmt.Fprintf(out, "%s\n\n%s\n", table.Name, table.Text); err != nil {
			return fmt.Errorf("print: %w", err)
		}
	}
	return nil
}
