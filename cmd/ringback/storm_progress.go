package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows how many of n deliveries are through: with a bar on a terminal,
// and with a line every few seconds elsewhere.
type progress struct {
	to   io.Writer
	n    int64
	done atomic.Int64
	bar  *progressbar.ProgressBar // nil where there is no terminal

	ended, stopped chan struct{}

	mu sync.Mutex // of whoever prints a line of its own
}

// reportEvery is how often a line is printed.
const reportEvery = 3 * time.Second

// showProgress begins to show it, with a line at every such time. A bar shows
// itself.
func showProgress(to io.Writer, n int, every time.Duration) *progress {
	p := &progress{to: to, n: int64(n), ended: make(chan struct{}), stopped: make(chan struct{})}
	if !isTerminal(to) {
		go p.printLines(every)
		return p
	}
	close(p.stopped)
	p.bar = progressbar.NewOptions(n,
		progressbar.OptionSetWriter(to),
		progressbar.OptionSetDescription("deliveries"),
		progressbar.OptionSetWidth(30),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionThrottle(100*time.Millisecond),
	)
	return p
}

// add counts a delivery that is through.
func (p *progress) add() {
	if p.bar != nil {
		_ = p.bar.Add(1) // a terminal that is gone has nobody in front of it
	}
	// Whoever counts the last one comes behind everybody's bar.
	if p.done.Add(1) == p.n {
		if p.bar != nil {
			fmt.Fprintln(p.to)
		}
		p.print(fmt.Sprintf("all %d deliveries through, waiting for the alerts", p.n))
	}
}

func (p *progress) printLines(every time.Duration) {
	defer close(p.stopped)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-p.ended:
			return
		case <-ticker.C:
			if done := p.done.Load(); done < p.n {
				p.print(fmt.Sprintf("%d of %d deliveries through", done, p.n))
			}
		}
	}
}

// note prints a line. A bar goes on below it.
func (p *progress) note(line string) {
	if p.bar != nil {
		_ = p.bar.Clear() // as with add
	}
	p.print(line)
}

func (p *progress) print(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintln(p.to, line)
}

// end ends it: nothing is printed from now on.
func (p *progress) end() {
	close(p.ended)
	<-p.stopped
}

// isTerminal reports whether what is written is seen on a terminal.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&fs.ModeCharDevice != 0
}
