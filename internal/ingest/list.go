package ingest

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/table"
)

// maxWrites is how many events of one body are written before it is answered. Twenty
// more take a tenth of a second, a thousand would keep the sender waiting. A longer
// list goes to the spill whole. Without a spill all are written, however many: to
// refuse the list would lose it, and to have it sent again would not make it shorter.
const maxWrites = 25

// errLong is why a list is spilled without an attempt to write it.
var errLong = fmt.Errorf("more than %d events", maxWrites)

// part is one event of a list, and what became of it.
type part struct {
	received Received
	delivery *events.Delivery // nil if it is refused, or a probe
	result   Result
	err      error
	done     bool // there is nothing to write
}

// handleList stores the events of a body with several, each by itself: one that is
// refused is kept as a rejection, and does not touch the others. If the table does not
// take one, the whole body is spilled.
func (h *Handler) handleList(ctx context.Context, r Request, received Received, verify func(*events.Envelope) error) (Result, error) {
	bodies := events.Split(r.Body)
	parts := make([]part, len(bodies))
	for i, body := range bodies {
		p := &parts[i]
		p.received = Received{ReceivedAt: received.ReceivedAt, Headers: received.Headers, Body: body}
		envelope, err := events.Open(body)
		switch {
		case err == nil && envelope.Probe():
			p.result.Status, p.done = StatusProbe, true
			continue
		case err == nil:
			err = verify(envelope)
		}
		switch {
		case err == nil:
			p.delivery = envelope.Decode()
		case errors.Is(err, events.ErrPayload) || errors.Is(err, events.ErrSignature):
			p.refuse(err)
		default:
			return Result{}, err // it is not known whether the signature is right
		}
		if p.received.Reason != "" && received.Reasons == nil {
			received.Reasons = make([]string, len(bodies))
		}
		if received.Reasons != nil {
			received.Reasons[i] = p.received.Reason
		}
	}

	if len(parts) > maxWrites && h.Spill != nil && h.Spill.Send(ctx, received) == nil {
		return Result{Status: StatusSpilled, Spilled: errLong}, nil
	}
	store, limited, cancel := h.store(ctx)
	defer cancel()
	err := h.storeParts(ctx, limited, store, received, parts)
	return summary(parts, err)
}

// refuse notes why a part is refused.
func (p *part) refuse(why error) {
	p.err, p.received.Reason = why, why.Error()
	p.result.mentions = mentions(why, p.received.Body)
	if errors.Is(why, events.ErrNoTypeNoData) {
		// As a body of its own it would be answered 200.
		p.result.Status, p.result.AcceptedWith, p.err = StatusProbe, why, nil
	}
}

// storeParts writes the parts in limited, and sends the whole body to the spill when the table
// does not take one of them. The error is why neither did.
func (h *Handler) storeParts(ctx, limited context.Context, store Putter, received Received, parts []part) error {
	for i := range parts {
		p := &parts[i]
		if p.done {
			continue
		}
		refused, accepted := p.err, p.result
		result, err := Store(limited, store, p.received, p.delivery)
		switch {
		case err == nil:
			p.done = true
			p.result.Key, p.result.Delivery = result.Key, result.Delivery
			if p.received.Reason != "" {
				p.result.Rejected = true
			} else {
				p.result.Status = result.Status
			}
			continue
		case errors.Is(err, table.ErrTooLarge):
			p.result, p.err = result, err
			continue
		case h.Spill == nil:
			p.result, p.err = result, err
			return err
		}
		// guard 1 ingest (AListIs): if spillErr := error(nil); spillErr != nil {
		if spillErr := h.Spill.Send(ctx, received); spillErr != nil {
			if errors.Is(err, errHangs) { // by now it may answer
				return h.storeParts(ctx, ctx, h.table, received, parts)
			}
			err = fmt.Errorf("%w; %w: %w", err, errSpill, spillErr)
			p.result, p.err = result, err
			return err
		}
		p.result, p.err = accepted, refused
		for j := range parts[i:] {
			if p := &parts[i+j]; !p.done {
				p.spilled(err)
			}
		}
		return nil
	}
	return nil
}

// spilled notes that the spill has a part.
func (p *part) spilled(why error) {
	p.result.Spilled = why
	if p.received.Reason != "" {
		p.result.Rejected = true
		return
	}
	p.result.Status = StatusSpilled
	p.result.Delivery = p.delivery
	p.result.Key = table.EventKey(p.delivery).PK
}

// summary returns what is answered: 200 only if every event is stored or spilled, or
// has been refused and kept. A list of refusals only is refused.
func summary(parts []part, err error) (Result, error) {
	all := Result{parts: parts}
	var refused, lost error
	accepted := false
	for i := range parts {
		p := &parts[i]
		switch {
		case p.err == nil:
			accepted = true
			all.Status = moreImportant(all.Status, p.result.Status)
		case errors.Is(p.err, table.ErrTooLarge):
			lost = p.err
		case refused == nil:
			refused = p.err
		}
	}
	switch {
	case err != nil:
		return all, err
	case lost != nil:
		return all, lost
	case !accepted:
		all.Rejected = true
		return all, refused
	}
	return all, nil
}

// moreImportant returns the status that says more about a list.
func moreImportant(a, b Status) Status {
	for _, status := range []Status{StatusSpilled, StatusStored, StatusDuplicate} {
		if a == status || b == status {
			return status
		}
	}
	return StatusProbe
}

// recordList writes one log line for each event of a list, with the status that it
// would have had alone.
func (h *Handler) recordList(ctx context.Context, r Request, parts []part) {
	for i := range parts {
		p := &parts[i]
		one := r
		one.Body = p.received.Body
		code := http.StatusOK
		if p.err != nil {
			code, _ = status(p.err)
		} else if p.result.Status == "" && !p.result.Rejected {
			continue // not written, because one before it failed
		}
		h.record(ctx, one, p.result, p.err, code)
	}
}

// verifier returns the check of an envelope's signature.
func (h *Handler) verifier(ctx context.Context, r Request, received Received, token string, secrets credential.Secrets) func(*events.Envelope) error {
	return func(e *events.Envelope) error {
		return h.verify(ctx, r, received.ReceivedAt, token, e, secrets)
	}
}
