package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// server is a process of "ringback serve" on a temporary folder.
type server struct {
	url string

	program, folder string
	command         *exec.Cmd
	input           io.Closer

	mu    sync.Mutex
	since []time.Duration // of each alert
}

// errServe means that the process does not serve.
var errServe = errors.New("it does not serve")

const maxAgeFlag = "--alert-max-age"

func startServer(ctx context.Context, program string) (*server, error) {
	folder, err := os.MkdirTemp(".build", "servebench-")
	if err != nil {
		return nil, err
	}
	s := &server{program: program, folder: folder}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.remove())
	}
	return s, nil
}

var webhook = regexp.MustCompile(`http://\S+/justcall/\S+`)

func (s *server) start(ctx context.Context) error {
	args := []string{"serve", "--until-eof", "--addr", "127.0.0.1:0", "--data", s.folder}
	if help, _ := exec.CommandContext(ctx, s.program, "serve", "--help").Output(); bytes.Contains(help, []byte(maxAgeFlag)) { //nolint:gosec // G204: to run it is the purpose
		args = append(args, maxAgeFlag, "0") // the deliveries are of January
	}
	s.command = exec.CommandContext(ctx, s.program, args...) //nolint:gosec // G204: as above
	input, err := s.command.StdinPipe()
	if err != nil {
		return err
	}
	s.input = input
	stdout, err := s.command.StdoutPipe()
	if err != nil {
		return err
	}
	stderr, err := s.command.StderrPipe()
	if err != nil {
		return err
	}
	if err := s.command.Start(); err != nil {
		return err
	}
	go s.readLog(stderr)
	printed := bufio.NewReader(stdout)
	for {
		line, err := printed.ReadString('\n')
		if s.url = webhook.FindString(line); s.url != "" {
			break
		}
		if err != nil {
			return fmt.Errorf("%w: %s printed no URL", errServe, s.program)
		}
	}
	go func() { _, _ = io.Copy(io.Discard, printed) }()
	return nil
}

// readLog notes how long each alert took.
func (s *server) readLog(log io.Reader) {
	for lines := bufio.NewScanner(log); lines.Scan(); {
		since, ok := alertTime(lines.Bytes())
		switch {
		case ok:
			s.mu.Lock()
			s.since = append(s.since, since)
			s.mu.Unlock()
		case bytes.Contains(lines.Bytes(), []byte(" ERR ")):
			_, _ = os.Stderr.Write(append(bytes.Clone(lines.Bytes()), '\n'))
		}
	}
}

// alertTime returns how long after its delivery's arrival an alert was printed, if a line of the log says so.
func alertTime(line []byte) (since time.Duration, ok bool) {
	_, rest, ok := bytes.Cut(line, []byte(" sinceReceivedMs="))
	if !ok {
		return 0, false
	}
	number, _, _ := bytes.Cut(rest, []byte(" "))
	n, err := strconv.Atoi(string(number))
	return time.Duration(n) * time.Millisecond, err == nil
}

func (s *server) alerts() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.since)
}

// settle returns once the process has nothing more to do: it uses no processor time for half a second.
func (s *server) settle(ctx context.Context) {
	for last, quiet := s.cpu(), 0; quiet < 5 && ctx.Err() == nil; {
		time.Sleep(100 * time.Millisecond)
		used := s.cpu()
		quiet++
		if used-last > tick {
			last, quiet = used, 0
		}
	}
}

// restart kills the process and starts it on the same folder.
func (s *server) restart(ctx context.Context) error {
	s.kill()
	return s.start(ctx)
}

func (s *server) kill() {
	if s.command != nil && s.command.Process != nil {
		_ = s.command.Process.Kill() // it may have ended
		_ = s.input.Close()
		_ = s.command.Wait() // it was killed
	}
}

func (s *server) remove() error {
	s.kill()
	return os.RemoveAll(s.folder)
}

// tick is the unit of time in /proc.
const tick = 10 * time.Millisecond

// cpu returns the processor time that the process has used, the kernel's for it included.
func (s *server) cpu() (used time.Duration) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.command.Process.Pid))
	const user, system = 11, 12 // counted from the field behind the name
	if fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:]); len(fields) > system {
		for _, field := range fields[user : system+1] {
			ticks, _ := strconv.ParseInt(string(field), 10, 64)
			used += time.Duration(ticks) * tick
		}
	}
	return used
}

// memory is in bytes. PSS counts what is shared in parts.
type memory struct{ pss, rss int64 }

func (s *server) memory() memory {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", s.command.Process.Pid))
	return memory{kilobytes(string(text), "Pss:"), kilobytes(string(text), "Rss:")}
}

func kilobytes(text, name string) int64 {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return n << 10
		}
	}
	return 0
}

// watch samples the memory until the function that it returns is called, which returns the largest values.
func (s *server) watch() (peak func() memory) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	var most memory
	go func() {
		defer close(stopped)
		for {
			m := s.memory()
			most = memory{max(most.pss, m.pss), max(most.rss, m.rss)}
			select {
			case <-stop:
				return
			case <-time.After(time.Second):
			}
		}
	}()
	return func() memory {
		close(stop)
		<-stopped
		return most
	}
}

// disk returns what the folder takes on disk, in bytes.
func (s *server) disk() (total int64) {
	_ = filepath.WalkDir(s.folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // the store deletes files of its own
		}
		if info, err := entry.Info(); err == nil && !entry.IsDir() {
			if stat, ok := info.Sys().(*syscall.Stat_t); ok {
				total += stat.Blocks * 512
			}
		}
		return nil
	})
	return total
}
