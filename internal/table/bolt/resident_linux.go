package bolt

import (
	"bytes"
	"os"
	"strconv"
	"syscall"

	"go.etcd.io/bbolt"
)

// forgetPages tells the kernel, as long as many are mapped, that the process needs no page of a
// part of the file at present. They stay in the kernel's cache, and are mapped again where they are
// read. Otherwise, in time, the whole file would count as the process's memory.
func (s *Store) forgetPages() {
	for range forgetParts {
		if mappedFiles() < s.maxMapped {
			return
		}
		s.forgetPart()
	}
}

func (s *Store) forgetPart() {
	_ = s.db.View(func(tx *bbolt.Tx) error { // meanwhile the file is not mapped anew
		size := int64(os.Getpagesize()) // the kernel's, not the file's
		pages := tx.Size() / size
		from, to := pages*s.forgotten/forgetParts, pages*(s.forgotten+1)/forgetParts // never behind the file: other memory is there
		s.forgotten = (s.forgotten + 1) % forgetParts
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, s.db.Info().Data+uintptr(from*size), uintptr((to-from)*size), syscall.MADV_DONTNEED) //nolint:gosec // G115: sizes. It is advice, and may be refused
		return nil
	})
}

// forgetParts is how many parts of the file are forgotten one after the other, so that what is
// read all the time is mapped most of the time.
const forgetParts = 4

// mappedFiles returns how many bytes of files are in the process's memory, 0 if that cannot be told.
func mappedFiles() int {
	text, _ := os.ReadFile("/proc/self/statm")
	const shared = 2
	fields := bytes.Fields(text)
	if len(fields) <= shared {
		return 0
	}
	pages, _ := strconv.Atoi(string(fields[shared]))
	return pages * os.Getpagesize()
}
