package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// load says what to post.
type load struct {
	kinds                            []sample
	deliveries, connections, callers int
	rate, every                      int
	progress                         io.Writer
}

// result is what a run took.
type result struct {
	accepted           float64 // a second
	p50, p99           time.Duration
	cpu                time.Duration // until everything was alerted
	peak               memory
	disk               int64
	alerts             int
	alertP50, alertP99 time.Duration // from the arrival of the delivery until its alert is printed
}

// errAnswer means that a delivery was not answered as it should be.
var errAnswer = errors.New("wrong answer")

// measure runs a program on a folder of its own.
func measure(ctx context.Context, program string, l load) (r result, err error) {
	s, err := startServer(ctx, program)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, s.remove()) }()
	before := s.cpu()
	watching := s.watch()
	taken, took, err := l.post(ctx, s, 0, `"stored"`)
	if err != nil {
		return r, err
	}
	s.settle(ctx)
	r.peak = watching()
	r.cpu = s.cpu() - before
	r.disk = s.disk()
	r.accepted = float64(l.deliveries) / took.Seconds()
	r.p50, r.p99 = quantiles(taken)
	alerts := s.alerts()
	r.alerts = len(alerts)
	r.alertP50, r.alertP99 = quantiles(alerts)

	// What was answered 200 survives a kill. Each would be stored again if it were not there.
	if err := s.restart(ctx); err != nil {
		return r, err
	}
	again := l
	again.every, again.rate, again.connections = 0, 0, 64
	again.deliveries = min(l.deliveries, 20_000)
	_, _, err = again.post(ctx, s, l.deliveries-again.deliveries, `"duplicate"`)
	return r, err
}

// post posts deliveries from a number on, and returns how long each took and all of them. The error wraps
// [errAnswer] if one is not answered 200 with that status.
func (l load) post(ctx context.Context, s *server, from int, status string) (taken []time.Duration, took time.Duration, err error) {
	to, err := url.Parse(s.url)
	if err != nil {
		return nil, 0, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	taken = make([]time.Duration, l.deliveries)
	var next, done atomic.Int64
	var posting sync.WaitGroup
	started := now()
	for range l.connections {
		posting.Go(func() {
			c, err := dial(ctx, to)
			if err != nil {
				cancel(err)
				return
			}
			defer c.close()
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= l.deliveries {
					return
				}
				if l.rate > 0 {
					time.Sleep(started.Add(time.Duration(i) * time.Second / time.Duration(l.rate)).Sub(now()))
				}
				body := delivery(l.kinds, from+i, l.callers)
				at := now()
				if err := c.post(body, status); err != nil {
					cancel(fmt.Errorf("delivery %d: %w", from+i, err))
					return
				}
				taken[i] = now().Sub(at)
				done.Add(1)
			}
		})
	}
	if l.every > 0 {
		l.report(ctx, s, &done, taken)
	}
	posting.Wait()
	return taken, now().Sub(started), context.Cause(ctx)
}

// report prints a line after every so many answers. A few of a window's answers may be missing from its quantiles.
func (l load) report(ctx context.Context, s *server, done *atomic.Int64, taken []time.Duration) {
	at := now()
	for last := 0; last < l.deliveries && ctx.Err() == nil; {
		to := min(last+l.every, l.deliveries)
		for int(done.Load()) < to && ctx.Err() == nil {
			time.Sleep(10 * time.Millisecond)
		}
		ended := now()
		p50, p99 := quantiles(taken[last:max(last+1, to-l.connections)])
		m := s.memory()
		_, _ = fmt.Fprintf(l.progress, "%9d  %6.0f/s  p50 %.1f ms  p99 %.1f ms  disk %.0f MB  RSS %.0f MB  PSS %.0f MB\n", to, float64(to-last)/ended.Sub(at).Seconds(),
			ms(p50), ms(p99), float64(s.disk())/1e6, float64(m.rss)/1e6, float64(m.pss)/1e6)
		at, last = ended, to
	}
}

// connection is kept open, as JustCall's are. It is bare, so that the load takes little of the processor.
type connection struct {
	conn net.Conn
	in   *bufio.Reader
	head string
}

func dial(ctx context.Context, to *url.URL) (*connection, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", to.Host)
	if err != nil {
		return nil, err
	}
	head := "POST " + to.RequestURI() + " HTTP/1.1\r\nHost: " + to.Host +
		"\r\nUser-Agent: axios/1.7.9\r\nAccept: application/json\r\nContent-Type: application/json\r\nContent-Length: "
	return &connection{conn, bufio.NewReader(conn), head}, nil
}

func (c *connection) close() { _ = c.conn.Close() }

func (c *connection) post(body, status string) error {
	if _, err := fmt.Fprintf(c.conn, "%s%d\r\n\r\n%s", c.head, len(body), body); err != nil {
		return err
	}
	answer, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close() // it is read to its end
	if err == nil && (answer.StatusCode != http.StatusOK || !strings.Contains(string(text), status)) {
		err = fmt.Errorf("%w: %d %.200s, not %s", errAnswer, answer.StatusCode, text, status)
	}
	return err
}

// quantiles returns the median and the 99th percentile, 0 of nothing.
func quantiles(all []time.Duration) (p50, p99 time.Duration) {
	if len(all) == 0 {
		return 0, 0
	}
	all = slices.Sorted(slices.Values(all))
	return all[len(all)/2], all[len(all)*99/100]
}

func now() time.Time { return time.Now() } //nolint:forbidigo // a benchmark measures time
