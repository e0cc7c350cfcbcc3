package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/deployed"
	"github.com/ringback/ringback/internal/phone"
)

const ownNumbersFlag = "own-numbers"

// numberFlags say how numbers are read, and which are our own, where no stack is running that
// knows it.
type numberFlags struct{ country, own string }

func (f *numberFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.country, "default-country", "", "country of numbers without a country code; it must be that of \"serve\" (default: the stack's own)")
	c.Flags().StringVar(&f.own, ownNumbersFlag, "", "numbers of your own lines and people; they must be those of \"serve\" (default: the stack's own)")
}

// arguments returns the flags as they are typed, each after a blank.
func (f *numberFlags) arguments() (text string) {
	for _, flag := range []struct{ name, value string }{{"default-country", f.country}, {ownNumbersFlag, f.own}} {
		if flag.value != "" {
			text += " --" + flag.name + " " + shellQuote(flag.value)
		}
	}
	return text
}

// numbers returns the numbers as the stack reads them: with another country, contacts would
// be kept where nobody looks for them.
func (f *numberFlags) numbers(ctx context.Context, of *tableFlags) (phone.Book, error) {
	country, own := f.country, f.own
	if of.stack != "" && (country == "" || own == "") {
		cfg, err := deployed.Config(ctx, of.region)
		if err != nil {
			return phone.Book{}, err
		}
		settings, err := deployed.ReadSettings(ctx, cfg, of.stack)
		if err != nil {
			return phone.Book{}, err
		}
		country, own = cmp.Or(country, settings.Parameters["DefaultCountry"]), cmp.Or(own, settings.Parameters["OwnNumbers"])
	}
	return numbersBy(country, own)
}

// numbersBy returns numbers by the flags that say how they are read.
func numbersBy(country, own string) (phone.Book, error) {
	numbers, err := phone.New(country)
	if err != nil {
		return phone.Book{}, fmt.Errorf("--default-country: %w", err)
	}
	if numbers, err = numbers.WithOwn(own); err != nil {
		return phone.Book{}, fmt.Errorf("--%s: %w", ownNumbersFlag, err)
	}
	return numbers, nil
}
