package alert

import "github.com/ringback/ringback/events"

// Digest lists who waits because of calls that were found too late for an alert.
type Digest struct {
	// ID stays the same if the digest is sent again.
	ID string
	// Waiting are the callers, at least one.
	Waiting []Latecomer
}

// Latecomer is a caller of a [Digest]. Line is the number called, and LineName its name in
// JustCall, as in [Alert].
type Latecomer struct {
	Waiter

	Line, LineName string
}

// tooLate is what an e-mail says of the calls of a digest.
const tooLate = "JustCall's webhook did not tell of these calls, and they are too old for an\nalert. Nobody has called back."

// Digest renders a digest.
func (s Style) Digest(d Digest) Message {
	var all []waits // that are listed
	for _, one := range d.Waiting[:min(len(d.Waiting), maxListed)] {
		w := s.waits(Overdue{Line: one.Line, LineName: one.LineName}, one.Waiter)
		w.ID, w.Kind = d.ID, events.KindDigest
		all = append(all, w)
	}
	first, total := all[0], len(d.Waiting)
	text := document{
		Version: documentVersion, ID: d.ID, Kind: first.Kind, TimeZone: s.zone(), Key: first.document().Key,
		Callers: total, Waiting: listOf(all),
	}
	for i, w := range all {
		text.Waiting[i].Line = party{Number: w.line, Name: w.lineName}
	}
	m := Message{
		ID:      d.ID,
		Kind:    first.Kind,
		Call:    d.ID,
		Subject: first.short().shorten("…", fitsSubject),
		Email:   listEmail(all, total, tooLate, false),
		SMS:     first.short().textMessage(),
	}
	if total > 1 {
		m.Subject, m.SMS = listed(all, headingOf(all, total))
	}
	first.Caller, first.line, first.Unserved = "", "", "" // no attributes
	m.Attributes, m.Document = first.attributes(""), encode(text)
	m.redact = func() Message {
		redacted := first.redacted()
		redacted.Call = d.ID
		return redacted
	}
	return m
}
