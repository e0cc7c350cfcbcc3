package phone

import (
	"strconv"
	"strings"
	"testing"
)

func TestNumbersAreReadOnceAndFewAreRemembered(t *testing.T) {
	t.Parallel()
	m, work := new(memo), 0
	read := func(text string) string {
		work++
		return "+" + text
	}
	for _, text := range []string{"1", "2", "1", "2"} {
		if got := m.of(text, read); got != "+"+text {
			t.Errorf("of %s: %s", text, got)
		}
	}
	if work != 2 {
		t.Errorf("two numbers were read %d times", work)
	}
	for n := range 3 * maxRemembered {
		m.of(strconv.Itoa(n), read)
	}
	m.of(strings.Repeat("1", 1000), read)
	if len(m.known) > maxRemembered || m.known[strings.Repeat("1", 1000)] != "" {
		t.Errorf("%d texts are remembered, or a long one is", len(m.known))
	}
}
