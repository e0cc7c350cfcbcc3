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
	if of.stack == "" || f.country != "" && f.own != "" {
		return numbersBy(f.country, f.own)
	}
	settings, err := settingsOf(ctx, of)
	if err != nil {
		return phone.Book{}, err
	}
	country := settings.Parameters["DefaultCountry"]
	if f.own != "" {
		return numbersBy(country, f.own)
	}
	return stackNumbers(f.country, country, settings.Parameters["OwnNumbers"])
}

func settingsOf(ctx context.Context, of *tableFlags) (deployed.Settings, error) {
	cfg, err := deployed.Config(ctx, of.region)
	if err != nil {
		return deployed.Settings{}, err
	}
	return deployed.ReadSettings(ctx, cfg, of.stack)
}

// stackNumbers returns numbers as they are read in a country, or else in that of the stack, and
// the stack's own numbers, which are written as in its country.
func stackNumbers(country, stackCountry, own string) (phone.Book, error) {
	numbers, err := phone.New(stackCountry)
	if err == nil {
		numbers, err = numbers.WithOwn(own)
	}
	if err != nil {
		return phone.Book{}, fmt.Errorf("DefaultCountry or OwnNumbers of the stack: %w", err)
	}
	if numbers, err = numbers.In(cmp.Or(country, stackCountry)); err != nil {
		return phone.Book{}, fmt.Errorf("--default-country: %w", err)
	}
	return numbers, nil
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
