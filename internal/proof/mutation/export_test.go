package main

import (
	"io"
	"path/filepath"
	"time"
)

// Guards returns the module's guards.
var Guards = guards

// Read reads the events of a run of tests.
var Read = read

// Result is what came of a run.
type Result = result

// TakeOut writes what takes a guard's place.
func TakeOut(g guard, root, folder string) ([]string, error) { return g.takeOut(root, folder) }

// Run takes all guards out of the module at root.
func Run(out io.Writer, root, module string) error {
	all, err := guards(root)
	if err != nil {
		return err
	}
	return session{runner{root, module, "./m"}, filepath.Join(root, "overlays"), out, time.Now, true}.run(all)
}
