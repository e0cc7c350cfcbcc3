package main

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// noArguments refuses what stands behind a command that takes flags alone. cobra would call
// it an unknown command.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("%q is not expected here\n\"%s --help\" says what is", args[0], c.CommandPath())
}

// badFlag says what is wrong with a flag, without the words of Go's own parsers.
func badFlag(c *cobra.Command, err error) error {
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		why := bad.Unwrap().Error()
		switch bad.GetFlag().Value.Type() {
		case "bool":
			why = "neither true nor false"
		case "duration":
			why = "no length of time, such as 30m or 2h"
		case "int":
			why = "no whole number"
		}
		err = fmt.Errorf("--%s %q: %s", bad.GetFlag().Name, bad.GetValue(), why)
	}
	return fmt.Errorf("%w\n\"%s --help\" lists the flags", err, c.CommandPath())
}

// What cobra says of flags of which a command takes one, and of a command that it does not
// know. There is no type for either.
var (
	notTogether    = regexp.MustCompile(`^if any flags in the group \[(\S+) (\S+)\] are set `)
	unknownCommand = regexp.MustCompile(`^unknown command `)
)

// plain puts cobra's errors in our own words.
func plain(err error) error {
	text := err.Error()
	if flags := notTogether.FindStringSubmatch(text); flags != nil {
		return fmt.Errorf("give --%s or --%s, not both", flags[1], flags[2])
	}
	if unknownCommand.MatchString(text) {
		return fmt.Errorf("%w\n\"ringback --help\" lists the commands", err)
	}
	return err
}
