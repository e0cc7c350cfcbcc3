package lambdaruntime

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// maxLogs is how much of a process's output is given.
const maxLogs = 4 << 20

// logs is a process's output. It is a file and not a pipe, so that whatever the process wrote
// before it polled can be read once the poll is seen.
type logs struct {
	mu    sync.Mutex
	file  *os.File // nil once the process has ended
	final string
}

func newLogs() (*logs, error) {
	file, err := os.CreateTemp("", "runtimeapi-*.log")
	if err != nil {
		return nil, fmt.Errorf("create a file for the output: %w", err)
	}

	return &logs{file: file}, nil
}

// String is the end of the output.
func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()

	if l.file == nil {
		return l.final
	}

	return l.read()
}

// finish keeps the end of the output and removes the file.
func (l *logs) finish() {
	l.mu.Lock()
	defer l.mu.Unlock()

	l.final = l.read()
	_ = l.file.Close()
	_ = os.Remove(l.file.Name())
	l.file = nil
}

func (l *logs) read() string {
	info, err := l.file.Stat()
	if err != nil {
		return err.Error()
	}
	from := max(0, info.Size()-maxLogs)
	buf := make([]byte, info.Size()-from)
	n, err := l.file.ReadAt(buf, from)
	if err != nil && !errors.Is(err, io.EOF) {
		return err.Error()
	}

	return string(buf[:n])
}
