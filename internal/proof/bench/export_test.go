package main

// For the tests in package main_test.

// Contenders returns the contenders and the rounds that arguments ask for.
func Contenders(args ...string) (names []string, rounds, slowStarts int, err error) {
	o, err := parse(args, discard{})
	return o.contenders, o.rounds, o.slowStarts(), err
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
