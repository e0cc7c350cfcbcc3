package main

import (
	"io"
	"strings"
)

// Options returns the contenders and the rounds that arguments ask for.
func Options(args ...string) (contenders []string, rounds int, err error) {
	o, err := parse(args, io.Discard)
	return strings.Split(o.contenders, ","), o.rounds, err
}
