package main

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ringback/ringback/internal/proof/storm"
	"github.com/ringback/ringback/internal/proof/storm/target"
)

// Flags that only storm's own stack has, those that name another stack's parts,
// and those that storm's own has not.
var (
	ownFlags    = []string{"kills", "data"}
	partFlags   = []string{"url", "table", "topic"}
	othersFlags = []string{"signed-url", "region", "alert-subscribers", "repeats"}

	textFlags = []string{"stack", "url", "table", "topic", "signed-url", "region", "data"}
)

// maxKills is far more than a storm needs.
const maxKills = 1000

// remote reports whether another stack than storm's own is played against.
func (f *stormFlags) remote() bool { return f.stack != "" || f.url != "" }

// check refuses what is no storm of so many deliveries.
func (f *stormFlags) check(c *cobra.Command, deliveries int) error {
	room := target.MaxKills(deliveries)
	switch {
	case f.faults < 0 || f.faults > 100:
		return errors.New("--faults is a percentage, from 0 to 100")
	case f.concurrency < 1:
		return errors.New("--concurrency is at least 1")
	case math.IsNaN(f.rate) || f.rate != 0 && (f.rate < storm.MinRate || f.rate > storm.MaxRate):
		return fmt.Errorf("--rate is how many deliveries a second, such as 50: from %.4f to %.0f", storm.MinRate, storm.MaxRate)
	case f.minute <= 0:
		return errors.New("--minute is a time such as 500ms or 1s")
	case f.wait <= 0:
		return errors.New("--wait is a time such as 1m or 30s")
	case f.kills < 0 || f.kills > maxKills:
		return fmt.Errorf("--kills is from 0 to %d", maxKills)
	case f.kills > room && deliveries > 0:
		return fmt.Errorf("--kills: there is room for at most %d among %d deliveries", room, deliveries)
	case f.repeats < 0:
		return errors.New("--repeats is at least 0")
	}
	if err := checkNotEmpty(c); err != nil {
		return err
	}
	if err := f.checkStack(c.Flags().Changed); err != nil {
		return err
	}
	switch {
	case f.url != "" && !isHTTP(f.url):
		return errors.New("--url is not a URL: it begins with https:// and ends with the token")
	case f.signedURL != "" && !isHTTP(f.signedURL):
		return errors.New("--signed-url is not a URL: it begins with https:// and ends with the token")
	}
	return nil
}

// checkNotEmpty refuses a flag without a text. It is what a shell makes of a
// variable that is not set, and storm would go on with another stack than was
// meant.
func checkNotEmpty(c *cobra.Command) error {
	for _, name := range textFlags {
		if flag := c.Flags().Lookup(name); flag.Changed && strings.TrimSpace(flag.Value.String()) == "" {
			return fmt.Errorf("--%s is empty: is it a variable that is not set?", name)
		}
	}
	return nil
}

// checkStack refuses flags that do not name one stack.
func (f *stormFlags) checkStack(given func(flag string) bool) error {
	var missing []string
	for _, name := range partFlags {
		if !given(name) {
			missing = append(missing, "--"+name)
		}
	}
	parts := len(missing) < len(partFlags)
	switch {
	case f.stack != "" && (parts || given("signed-url")):
		return errors.New("--stack names a whole stack: give it, or --url, --table and --topic, but not both")
	case parts && len(missing) > 0:
		return fmt.Errorf("--url, --table and --topic belong together, and there is no %s", strings.Join(missing, " and no "))
	}
	for _, name := range ownFlags {
		if f.remote() && given(name) {
			return fmt.Errorf("--%s is for storm's own stack, and not for one that is given by --stack or --url", name)
		}
	}
	for _, name := range othersFlags {
		if !f.remote() && given(name) {
			return fmt.Errorf("--%s is for a stack that is not storm's own: give --stack, or --url, --table and --topic", name)
		}
	}
	return nil
}
