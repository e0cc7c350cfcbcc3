package table_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
)

func BenchmarkEventItem(b *testing.B) {
	paths, err := filepath.Glob("../../events-samples/*.json")
	if err != nil || len(paths) == 0 {
		b.Fatalf("no samples (%v)", err)
	}
	now := time.Date(2026, 3, 12, 14, 32, 2, 0, time.UTC)
	for _, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		envelope, err := events.Open(body)
		if err != nil {
			b.Fatal(err)
		}
		d := envelope.Decode()
		b.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if item := table.EventItem(d, now, now); len(item) == 0 {
					b.Fatal("no item")
				}
			}
		})
	}
}
