package inbox_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/inbox"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/proof/inboxtest"
	"github.com/ringback/ringback/internal/proof/lookuptest"
	"github.com/ringback/ringback/internal/proof/tabletest"
)

// BenchmarkPage times the page from its request to its last byte, in a table with a year's
// events, and measures how much memory it takes while it is open and changes all the time.
func BenchmarkPage(b *testing.B) {
	store := tabletest.NewBolt(b)
	w := lookuptest.Year(b, store, inboxtest.Now, lookuptest.Events(b, 2_000))
	look := lookup.New(store, w.Numbers, time.UTC)
	look.Now = func() time.Time { return inboxtest.Now }
	page, err := inbox.Start(b.Context(), "127.0.0.1:0", inbox.Config{Look: look, Acts: store, Every: time.Millisecond, Where: "here"}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer page.Close()
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	base, _, _ := strings.Cut(page.URL, "/?")
	get := func(url string) *http.Response {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, http.NoBody)
		if err != nil {
			b.Fatal(err)
		}
		answer, err := client.Do(r)
		if err != nil || answer.StatusCode != http.StatusOK {
			b.Fatal(answer, err)
		}
		return answer
	}
	read := func(path string) {
		answer := get(base + path)
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			b.Fatal(err)
		}
		_ = answer.Body.Close()
	}
	_ = get(page.URL).Body.Close()
	paths := []string{"/", "/today", "/today?show=all", "/caller?number=" + url.QueryEscape(w.SomeCaller)}
	before := memory(b)
	live := get(base + "/live") // as an open page does
	defer func() { _ = live.Body.Close() }()
	for i, name := range []string{"waiting", "today", "all calls", "caller"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				read(paths[i])
			}
		})
	}
	b.Run("open", func(b *testing.B) {
		most := 0.0
		for b.Loop() {
			for _, path := range paths {
				read(path)
			}
			most = max(most, memory(b)-before)
		}
		b.ReportMetric(most, "MB-more")
	})
}

// memory returns what the process has of its own, in MB, without the pages of the table's file.
func memory(b *testing.B) float64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("only Linux says how much memory a process has")
	}
	_, rest, _ := strings.Cut(string(text), "RssAnon:")
	var kB float64
	if _, err := fmt.Sscan(rest, &kB); err != nil {
		b.Fatal(err)
	}
	return kB / 1000
}
