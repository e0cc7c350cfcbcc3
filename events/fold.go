package events

import (
	"cmp"
	"slices"
	"time"
)

// Part is what one event says of its call.
type Part struct {
	Details

	// Key tells the call's events apart. Every delivery of one event has the same.
	Key    string
	Type   Type
	Format Format
	// At is when the event happened. Own is set if the event itself says so; if not,
	// At depends on the delivery, and At of two deliveries may differ.
	At  time.Time
	Own bool
	// ReceivedAt is when the event arrived, or was found. FoundLate is set if it was found:
	// no webhook brought it.
	ReceivedAt time.Time
	FoundLate  bool
}

// Folded is a call as all of its events together describe it. What no event says
// is zero.
type Folded struct {
	// ID is JustCall's id of the call.
	ID        string
	Direction Direction
	// Outcome is the best that an event says: answered, then voicemail, missed,
	// abandoned, unknown. If one agent answered, a caller was served, even if the
	// phones of others rang in vain. The answer of an AI agent alone counts only if nobody
	// missed the call and no voicemail was left.
	Outcome Outcome

	// Start is the earliest time that the events give, and End the latest.
	Start, End time.Time
	// FirstArrival and LastArrival are when the first and the last of the events arrived.
	FirstArrival, LastArrival time.Time
	// Events is how many different events there are.
	Events int

	// Line is the account's own number by [NumberText], or, if it is not a number,
	// the text as sent. LineName is its name in JustCall.
	Line, LineName string
	// Phone is the outside number by [NumberText], and Extension what to dial after
	// it. If no event has a number, Withheld is set if one says that it is hidden, and
	// CallerText is what else was sent in its place.
	Phone, Extension, CallerText string
	Withheld                     bool
	// ContactName is the name that JustCall has for the outside party.
	ContactName string
	// Agents are those who were offered the call, in that order.
	Agents []Agent

	// Queued is set if the caller waited in a queue.
	Queued bool
	// RingTime, TalkTime and Duration are the longest that an event gives, in seconds.
	RingTime, TalkTime, Duration Optional[int64]
	MissedReason                 string

	// AnsweredAgent is who answered, as far as an event says so that the call was
	// answered.
	AnsweredAgent Agent
	// VoiceAgent is set if an AI agent took part.
	VoiceAgent bool
	// AnsweredBy is who answered an outgoing call: a machine, if one event says so.
	AnsweredBy AnsweredBy
	// Callback is how far JustCall's own call back has come.
	Callback Callback

	// VoicemailTime is the length of the voicemail in seconds.
	VoicemailTime Optional[int64]
	RecordingURL  string
	Transcription string

	// Missed is the first event that says that the call was missed or abandoned, and
	// Left the first that brings a voicemail. Nil means that there is none.
	Missed, Left *Part
}

// Agent is a person who takes calls. Either member may be missing.
type Agent struct {
	ID   Optional[int64]
	Name string
}

// Fold puts together what the events of one call say. Neither their order nor
// repetitions matter. Where two of them disagree, the first that happened is
// believed about what is settled when a call begins, such as who called, and the
// last about what people change afterwards, such as a transcription. Events that
// give no time of their own come after all others. Parts that are no events of a
// call are ignored.
func Fold(parts ...Part) Folded {
	// guard 4 events (FoldDoesNot): earliest := slices.Collect(func(yield func(*Part) bool) { for i := range parts { yield(&parts[i]) } })
	earliest := inOrder(parts)
	// The same, but the last that happened first.
	latest := slices.Clone(earliest)
	untimed := slices.IndexFunc(latest, func(p *Part) bool { return !p.Own })
	if untimed < 0 {
		untimed = len(latest)
	}
	slices.Reverse(latest[:untimed])

	f := Folded{
		ID:         first(earliest, func(p *Part) string { return p.ID }),
		Direction:  cmp.Or(first(earliest, statedDirection), first(earliest, func(p *Part) Direction { return p.Direction })),
		LineName:   first(latest, func(p *Part) string { return p.LineName }),
		Phone:      first(earliest, func(p *Part) string { return p.Number() }),
		CallerText: first(earliest, func(p *Part) string { return p.CallerText }),
		Line: cmp.Or(
			first(earliest, func(p *Part) string { return NumberText(p.Line) }),
			first(earliest, func(p *Part) string { return p.Line })),
		ContactName:   first(latest, (*Part).contactName),
		MissedReason:  first(latest, func(p *Part) string { return p.call().MissedReason }),
		VoicemailTime: first(latest, func(p *Part) Optional[int64] { return given(p.voicemail().Duration) }),
		RecordingURL:  first(latest, func(p *Part) string { return p.voicemail().RecordingURL }),
		Transcription: first(latest, func(p *Part) string { return p.voicemail().Transcription }),
		AnsweredAgent: first(earliest, (*Part).answeringAgent),
		Agents:        agentsOf(earliest),
	}
	for _, p := range earliest {
		f.add(p)
	}
	if f.VoiceAgent && f.AnsweredAgent == (Agent{}) && (f.Missed != nil || f.Left != nil) {
		// An AI agent answered, and no person: what came of it counts.
		f.Outcome = ""
		for _, p := range earliest {
			if p.Outcome != Answered {
				f.Outcome = f.Outcome.Best(p.Outcome)
			}
		}
	}
	if number := PhoneNumber(f.Phone); number != "" {
		f.CallerText = ""
		f.Extension = first(earliest, func(p *Part) string {
			if p.Phone != number {
				return "" // it belongs to another one
			}
			return p.Extension
		})
	}
	f.Withheld = f.Phone == "" && f.CallerText == "" && slices.ContainsFunc(earliest, func(p *Part) bool { return p.Withheld })
	return f
}

// inOrder returns the parts that are events of a call, each once: those with a time
// of their own in the order in which they happened, then the others. At one moment, those
// that say incoming come first: what went out then was to the telephone of one of us.
func inOrder(parts []Part) []*Part {
	ordered := make([]*Part, 0, len(parts))
	for i := range parts {
		if parts[i].Kind.IsCall() {
			ordered = append(ordered, &parts[i])
		}
	}
	slices.SortFunc(ordered, func(a, b *Part) int {
		return cmp.Or(byTime(a, b), incomingFirst(a, b), cmp.Compare(a.Key, b.Key), a.ReceivedAt.Compare(b.ReceivedAt))
	})
	return slices.CompactFunc(ordered, func(a, b *Part) bool { return a.Key == b.Key })
}

// byTime compares the parts' own times. Those without one come last.
func byTime(a, b *Part) int {
	switch {
	case a.Own && b.Own:
		return a.At.Compare(b.At)
	case a.Own:
		return -1
	case b.Own:
		return 1
	}
	return 0
}

func incomingFirst(a, b *Part) int {
	x, y := statedDirection(a) == Inbound, statedDirection(b) == Inbound
	switch {
	case x == y:
		return 0
	case x:
		return -1
	}
	return 1
}

// statedDirection returns the direction that an event gives, and not one that its type
// implies.
func statedDirection(p *Part) Direction {
	if p.Implied {
		return ""
	}
	return p.Direction
}

// first returns the first value that is not zero.
func first[T comparable](parts []*Part, get func(*Part) T) (value T) {
	for _, p := range parts {
		if value = get(p); value != *new(T) {
			return value
		}
	}
	return value
}

// given returns a number if there is one, else the zero Optional.
func given(n Optional[int64]) Optional[int64] {
	if n.State != Set {
		return Optional[int64]{}
	}
	return n
}

// longer returns the larger number of those that are given.
func longer(a, b Optional[int64]) Optional[int64] {
	if b.State != Set || a.State == Set && a.Value >= b.Value {
		return a
	}
	return b
}

// add adds what does not depend on which event is believed.
func (f *Folded) add(p *Part) {
	f.Outcome = f.Outcome.Best(p.Outcome)
	if f.FirstArrival.IsZero() || !p.ReceivedAt.IsZero() && p.ReceivedAt.Before(f.FirstArrival) {
		f.FirstArrival = p.ReceivedAt
	}
	if p.ReceivedAt.After(f.LastArrival) {
		f.LastArrival = p.ReceivedAt
	}
	f.Events++
	if p.Own {
		if f.Start.IsZero() {
			f.Start = p.At
		}
		if end := p.end(); end.After(f.End) {
			f.End = end
		}
	}
	switch p.Outcome {
	case Missed, Abandoned:
		f.Missed = cmp.Or(f.Missed, p)
	case Voicemailed:
		f.Left = cmp.Or(f.Left, p)
	case Answered, OutcomeUnknown:
	}
	typ := p.Type.Name()
	f.Queued = f.Queued || typ == TypeCallEntersQueue || typ == TypeCallExitsQueue
	f.RingTime = longer(f.RingTime, p.call().RingDuration)
	f.TalkTime = longer(f.TalkTime, p.TalkTime)
	f.Duration = longer(f.Duration, p.call().Duration)
	f.VoiceAgent = f.VoiceAgent || typ == TypeCallAIVoiceAgent || p.call().VoiceAgent
	if by := p.call().AnsweredBy; by == ByMachine || f.AnsweredBy == "" {
		f.AnsweredBy = by
	}
	f.Callback = max(f.Callback, p.call().Callback)
}

// Owes reports whether people are to be alerted of the call: of a missed call if an
// event says that it was missed or abandoned, of a voicemail if one was left, and of
// nothing if the call went out or somebody answered it.
func (f Folded) Owes(kind Kind) bool {
	switch {
	// guard 4 events (FoldSays): case f.Direction == Outbound:
	case f.Direction == Outbound || f.Outcome == Answered:
		return false
	case kind == KindMissedCall:
		return f.Missed != nil
	case kind == KindVoicemail:
		return f.Left != nil
	}
	return false
}

// Served reports whether somebody answered the call of an outside party.
func (f Folded) Served() bool { return f.Direction != Outbound && f.Outcome == Answered }

// agentsOf returns the agents that the parts name, each once, in the order in which
// they were offered the call. Those of one moment are in the order of their ids.
func agentsOf(parts []*Part) (agents []Agent) {
	byAgent := slices.Clone(parts)
	slices.SortStableFunc(byAgent, func(a, b *Part) int {
		x, y := a.agent(), b.agent()
		return cmp.Or(byTime(a, b), cmp.Compare(x.ID.Value, y.ID.Value), cmp.Compare(x.Name, y.Name))
	})
	for _, p := range byAgent {
		a := p.agent()
		if a == (Agent{}) {
			continue
		}
		i := slices.IndexFunc(agents, func(b Agent) bool {
			if a.ID.State == Set && b.ID.State == Set {
				return a.ID == b.ID
			}
			return a.Name != "" && a.Name == b.Name
		})
		if i < 0 {
			agents = append(agents, a)
			continue
		}
		agents[i] = Agent{ID: cmp.Or(agents[i].ID, a.ID), Name: cmp.Or(agents[i].Name, a.Name)}
	}
	return agents
}

// call returns what a call's event says, and of a voicemail nothing.
func (p *Part) call() Call {
	if c, ok := p.Event.(*Call); ok {
		return *c
	}
	return Call{}
}

// voicemail returns what a voicemail says, and of another event nothing.
func (p *Part) voicemail() Voicemail {
	if v, ok := p.Event.(*Voicemail); ok {
		return *v
	}
	return Voicemail{}
}

func (p *Part) contactName() string { return cmp.Or(p.call().ContactName, p.voicemail().ContactName) }

func (p *Part) agent() Agent {
	c, v := p.call(), p.voicemail()
	return Agent{ID: cmp.Or(given(c.AgentID), given(v.AgentID)), Name: cmp.Or(c.AgentName, v.AgentName)}
}

// answeringAgent returns the agent of an event that says that the call was answered.
func (p *Part) answeringAgent() Agent {
	if p.Outcome != Answered {
		return Agent{}
	}
	return p.agent()
}

// end returns when the event says that its call ended. Format A's times are those
// of the events, format B's that of the call's start.
func (p *Part) end() time.Time {
	const longest = 7 * 24 * 60 * 60 // a longer call is a mistake
	length := given(p.call().Duration).Value
	if p.Format == FormatA || length <= 0 || length > longest {
		return p.At
	}
	// The total contains the ringing, or does not: JustCall's pages differ. If it has no
	// room for it, it does not.
	if ring := given(p.call().RingDuration).Value; ring <= longest && length < ring+given(p.TalkTime).Value {
		length += max(0, ring)
	}
	return p.At.Add(time.Duration(length) * time.Second)
}
