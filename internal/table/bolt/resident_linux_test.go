package bolt_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// However large the file is, what is mapped of it is bounded, and none of it is lost.
func TestWhatIsMappedOfTheFileIsForgotten(t *testing.T) {
	t.Parallel()
	path := storePath(t)
	s := tabletest.OpenBolt(t, path)
	long := attr.String(strings.Repeat("x", 100_000))
	const items = 200
	readAll := func() {
		t.Helper()
		read := 0
		for item, err := range table.ScanAll(t.Context(), s, "", "") {
			if err != nil {
				t.Fatal(err)
			}
			if item["long"] == long {
				read++
			}
		}
		if read != items {
			t.Errorf("%d of %d items are as they were", read, items)
		}
	}
	for i := range items {
		item := indexed(fmt.Sprint(i))
		item["long"] = long
		if _, err := s.Put(t.Context(), item); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = tabletest.OpenBolt(t, path)
	readAll()
	before := residentOf(t, path)
	s.MaxMapped(1)
	putItems(t, s, "a", "b") // the second is taken when the file is forgotten
	if after := residentOf(t, path); after > before/4 {
		t.Errorf("%d of %d kB are still mapped", after, before)
	}
	readAll()
}

var residentSize = regexp.MustCompile(`(?m)^Rss: +(\d+) kB$`)

// residentOf returns how many kB of a file this process has in its memory.
func residentOf(t *testing.T, path string) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	_, of, ok := strings.Cut(string(text), path+"\n")
	size := residentSize.FindStringSubmatch(of)
	if !ok || size == nil {
		t.Fatal("the file is not mapped")
	}
	n, _ := strconv.Atoi(size[1])
	return n
}
