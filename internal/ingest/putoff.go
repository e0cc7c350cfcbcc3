package ingest

import (
	"sync"
	"time"
)

const (
	// maxPutOffs is how many deliveries with an unknown token are put off in
	// [putOffTime]. JustCall sends each again after half a minute or more, when the
	// secret can be read again. Whoever guesses tokens gets no more 503 than that.
	maxPutOffs = 3
	putOffTime = time.Minute
)

// putOffs are the times of the last deliveries that were put off, the oldest first.
type putOffs struct {
	mu   sync.Mutex
	last [maxPutOffs]time.Time
}

// take reports whether one more may be put off now, and counts it.
func (p *putOffs) take(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	// guard 6 ingest: if false {
	if oldest := p.last[0]; !oldest.IsZero() && now.Sub(oldest) < putOffTime {
		return false
	}
	copy(p.last[:], p.last[1:])
	p.last[maxPutOffs-1] = now
	return true
}
