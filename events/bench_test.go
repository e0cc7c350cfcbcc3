package events_test

import (
	"testing"

	"github.com/ringback/ringback/events"
)

func BenchmarkOpen(b *testing.B) {
	for _, s := range samples(b) {
		b.Run(s.name(), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(s.body)))
			for b.Loop() {
				if _, err := events.Open(s.body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, s := range samples(b) {
		b.Run(s.name(), func(b *testing.B) {
			e, err := events.Open(s.body)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(s.body)))
			for b.Loop() {
				e.Decode()
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		err := events.Verify(vector, vectorURL, vectorType, tolerance, vectorTime, vectorSecret, "previous")
		if err != nil {
			b.Fatal(err)
		}
	}
}
