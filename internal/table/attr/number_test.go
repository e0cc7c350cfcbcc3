package attr_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/ringback/ringback/internal/table/attr"
)

func TestNormalIsStable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`-?[0-9]{1,20}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?`).Draw(t, "number")
		once, err := attr.Normal(s)
		if err != nil {
			t.Fatalf("Normal(%q): %v", s, err)
		}
		twice, err := attr.Normal(once)
		if err != nil || twice != once {
			t.Errorf("Normal(%q) = %q, again %q, %v", s, once, twice, err)
		}
		if a, b := attr.NumberSize(s), attr.NumberSize(once); a != b {
			t.Errorf("NumberSize of %q = %d, of %q = %d", s, a, once, b)
		}
	})
}

func FuzzNormal(f *testing.F) {
	for _, s := range []string{"0", "-1.5e3", "1e126", "", "-", ".", "1.", "1e", "٣", "1e99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := attr.Normal(s)
		if err != nil && !errors.Is(err, attr.ErrValue) {
			t.Errorf("Normal(%q): %v", s, err)
		}
		if err == nil && len(n) > 180 {
			t.Errorf("Normal(%q) = %q", s, n)
		}
	})
}
