package table_test

import (
	"testing"

	"github.com/ringback/ringback/internal/table"
)

func TestParseRetentionTakesDays(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]table.Retention{"": 0, "0": 0, "1": 1, "365": 365, "36500": 36500} {
		if got, err := table.ParseRetention(text); got != want || err != nil {
			t.Errorf("ParseRetention(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"-1", "36501", "1.5", "30d", "forever", " "} {
		if got, err := table.ParseRetention(text); err == nil {
			t.Errorf("ParseRetention(%q) = %d, want an error", text, got)
		}
	}
}
