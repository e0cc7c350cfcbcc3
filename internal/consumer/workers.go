package consumer

import (
	"hash/fnv"
	"sync"
)

// Workers process entries in batches, several batches side by side. Entries with
// the same key go to the same worker and stay in order. A worker takes whatever
// is queued for it, up to a batch, and waits for no other worker.
//
// The methods may be called concurrently.
type Workers[T any] struct {
	batch   int
	process func([]T)

	mu     sync.Mutex
	idle   *sync.Cond
	queues []queue[T] // one per worker
	active int
}

type queue[T any] struct {
	entries []T
	active  bool
}

// NewWorkers returns n workers that call process with at most batch entries.
func NewWorkers[T any](n, batch int, process func([]T)) *Workers[T] {
	w := &Workers[T]{batch: batch, process: process, queues: make([]queue[T], n)}
	w.idle = sync.NewCond(&w.mu)
	return w
}

// Add queues entries by their keys, all before a worker takes the first.
func (w *Workers[T]) Add(key func(T) string, entries ...T) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, entry := range entries {
		hash := fnv.New32a()
		_, _ = hash.Write([]byte(key(entry)))              // never fails
		q := &w.queues[hash.Sum32()%uint32(len(w.queues))] //nolint:gosec // G115: there are few workers
		q.entries = append(q.entries, entry)
		if !q.active {
			q.active = true
			w.active++
			go w.work(q)
		}
	}
}

// Wait returns when nothing is queued and no worker is busy.
func (w *Workers[T]) Wait() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.active > 0 {
		w.idle.Wait()
	}
}

func (w *Workers[T]) work(q *queue[T]) {
	for batch := w.next(q); len(batch) > 0; batch = w.next(q) {
		w.process(batch)
	}
}

// next takes a batch from a queue. If the queue is empty, its worker ends.
func (w *Workers[T]) next(q *queue[T]) []T {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(len(q.entries), w.batch)
	batch := q.entries[:n:n]
	q.entries = q.entries[n:]
	if n == 0 {
		q.entries, q.active = nil, false
		w.active--
		w.idle.Broadcast()
	}
	return batch
}
