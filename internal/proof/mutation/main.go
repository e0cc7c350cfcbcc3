package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// module is the path of the module whose guards these are.
const module = "github.com/ringback/ringback"

// standIns name the variables that say where the stand-ins are.
var standIns = []string{"DYNAMODB_ENDPOINT", "MOTO_ENDPOINT"}

func main() {
	promise := flag.Int("promise", 0, "take out the guards of this promise only; 0 is for all")
	name := flag.String("guard", "", "take out only the guards that have this in their name")
	flag.Parse()

	root, err := os.Getwd()
	if err != nil {
		fail(err)
	}
	for _, variable := range standIns {
		if os.Getenv(variable) == "" {
			fail(fmt.Errorf("%s is not set: the binaries are tested on stand-ins, which \"make guards\" starts", variable))
		}
	}
	var chosen []guard
	for _, g := range guards {
		if (*promise == 0 || g.Promise == *promise) && strings.Contains(g.Name, *name) {
			chosen = append(chosen, g)
		}
	}
	s := session{
		runner: runner{root: root, module: module, binaries: "./functions/..."},
		folder: filepath.Join(root, ".build", "guards"),
		out:    os.Stdout,
		now:    time.Now,
		whole:  len(chosen) == len(guards),
	}
	if err := s.run(chosen); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "guards:", err)
	os.Exit(1)
}
