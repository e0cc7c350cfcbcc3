package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/addressbook"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/timing"
)

const (
	// maxAttempts is how often a follow-up is written anew because somebody else wrote
	// it meanwhile.
	maxAttempts = 10
	// answerTime is left before the deadline, so that what is done counts.
	answerTime = time.Second
	// maxAhead is how far the clock of whoever did a hand act may be ahead of ours.
	maxAhead = 5 * time.Second
)

var (
	// ErrContended means that others kept writing the same follow-up.
	ErrContended = errors.New("follow-up is being changed by others")
	// ErrFuture means that a hand act is of a time that is still to come. It would hide
	// who calls until then.
	ErrFuture = errors.New("hand act from the future: the clock of the machine that wrote it is ahead")
)

// Ledger keeps follow-ups.
type Ledger struct {
	// Policy says what calls mean.
	Policy followup.Policy
	// Changed is told of each follow-up that was brought up to date, even if it stayed
	// as it was: it may come more than once. If it fails, so does the record. Nil tells
	// nobody.
	Changed func(ctx context.Context, caller string, before, after followup.State) error
	// Followed is told of the news that each item brought, after they have become part of
	// the follow-up, and again if the item comes again. If it fails, so does the record.
	// A change of contacts brings no news. Nil tells nobody.
	Followed func(ctx context.Context, because table.Key, caller string, news followup.Facts, now followup.State) error
	// Parts remembers what events say; callers may set it.
	Parts *alert.Parts
	// Now returns the time. New sets it to time.Now.
	Now func() time.Time
	// AtOnce is how many follow-ups are brought up to date side by side. New sets
	// [timing.AtOnce].
	AtOnce int

	store     table.Store
	canonical func(number string) string
	log       *slog.Logger

	// history is a time before which no call opens anything any more; zero for none.
	history time.Time
	// waited has since when callers waited whose follow-ups do not say it.
	waited  sync.Map
	written atomic.Int64
}

// New returns a ledger in a store. canonical returns the one form of all spellings of a
// number, and "" for what is no number. The log lines hold no personal data.
func New(store table.Store, canonical func(number string) string, log *slog.Logger) *Ledger {
	return &Ledger{Policy: followup.Default(), Now: time.Now, AtOnce: timing.AtOnce, store: store, canonical: canonical, log: log}
}

// Tell returns a function for [Ledger.Changed] that calls all of these, one after the
// other, up to the first that fails.
func Tell(all ...func(ctx context.Context, caller string, before, after followup.State) error) func(ctx context.Context, caller string, before, after followup.State) error {
	return func(ctx context.Context, caller string, before, after followup.State) error {
		for _, tell := range all {
			if err := tell(ctx, caller, before, after); err != nil {
				return err
			}
		}
		return nil
	}
}

// ConsumerName is the name of the ledger's consumer.
const ConsumerName = "followups"

// Consumer returns the ledger as a consumer of the table's new items.
func (l *Ledger) Consumer() consumer.Consumer {
	return consumer.Consumer{Name: ConsumerName, Wants: wants, Key: keyOf, Process: l.Process}
}

// wants reports whether an item is a hand act or the event of a call or text.
func wants(item table.Item) bool {
	key := table.KeyOf(item)
	kind := events.Kind(table.Text(item, table.Kind))
	return table.IsAct(key) || table.IsEvent(key) && (kind.IsCall() || kind == events.KindMessage)
}

// keyOf keeps what is about one number in order, so that it seldom races.
func keyOf(item table.Item) string {
	key := table.KeyOf(item)
	if table.IsAct(key) {
		return key.PK
	}
	return cmp.Or(table.Text(item, table.GSI1PK), table.CallOf(key))
}

// Process brings the follow-ups that items are about up to date. It implements
// [consumer.Process].
func (l *Ledger) Process(ctx context.Context, items []table.Item) []error {
	ctx, cancel := timing.WithMargin(ctx, answerTime)
	defer cancel()

	// Each call is read once for all of its events in the batch.
	sources := make(map[string]*source)
	for i, item := range items {
		key := table.KeyOf(item)
		name := nameOf(key)
		if sources[name] == nil {
			sources[name] = &source{key: key}
		}
		sources[name].items = append(sources[name].items, item)
		sources[name].indexes = append(sources[name].indexes, i)
	}
	all := slices.Collect(maps.Values(sources))
	timing.SideBySide(all, func(s *source) { s.err = l.read(ctx, s) })

	// Each follow-up is written once for all that is new about it.
	callers := make(map[string]*news)
	for _, s := range sources {
		for caller, facts := range s.facts {
			if callers[caller] == nil {
				callers[caller] = &news{caller: caller}
			}
			n := callers[caller]
			n.facts = followup.Merge(n.facts, facts)
			n.sources = append(n.sources, s)
		}
	}
	each := slices.Collect(maps.Values(callers))
	timing.AtMost(l.AtOnce, len(each), func(i int) {
		n := each[i]
		n.err = l.keep(ctx, n)
		l.written.Add(int64(n.written))
	})

	errs := make([]error, len(items))
	for _, s := range sources {
		err := s.err
		for caller := range s.facts {
			err = errors.Join(err, callers[caller].err)
		}
		if s.err != nil {
			l.log.LogAttrs(ctx, slog.LevelError, "follow-up not kept",
				slog.String("key", table.LogPartition(s.key.PK)), slog.String("error", s.err.Error()))
		}
		for _, i := range s.indexes {
			errs[i] = err
		}
	}
	return errs
}

// source is a call, a text or a hand act, with the items of the batch that are about it.
type source struct {
	key     table.Key
	items   []table.Item
	indexes []int

	// facts are what it says, by caller. Of those whom it names and is not about, it says
	// that it is not.
	facts map[string]followup.Facts
	err   error
}

// read reads what a source says.
func (l *Ledger) read(ctx context.Context, s *source) error {
	s.facts = make(map[string]followup.Facts)
	if table.IsAct(s.key) {
		act, err := ReadAct(s.items[0])
		if err != nil {
			return fmt.Errorf("%w: %w", consumer.ErrPermanent, err)
		}
		caller := table.CallerOf(s.key)
		if err := l.checkTime(ctx, caller, act); err != nil {
			return err
		}
		s.facts[caller] = act.Of()
		return nil
	}

	parts := make(map[table.Key]events.Part)
	for _, item := range s.items {
		parts[table.KeyOf(item)] = l.Parts.Of(item)
	}
	id := table.SourceOf(s.key)
	if !table.OfNoCall(s.key) {
		for item, err := range table.All(ctx, l.store, table.Query{Partition: s.key.PK, SortPrefix: table.EventMark}) {
			if err != nil {
				return fmt.Errorf("read the events: %w", err)
			}
			if key := table.KeyOf(item); parts[key].Key == "" { // a payload may be long
				parts[key] = l.Parts.Of(item)
			}
		}
	}
	all := slices.Collect(maps.Values(parts))
	if all[0].Kind == events.KindMessage {
		l.readText(s, id, all)
		return nil
	}
	l.readCall(s, id, all)
	return nil
}

// checkTime refuses an act from the future, unless it has the time of one of the caller's calls:
// [Perform] dates an act like the caller's last call, if that is later. JustCall's clock may be
// ahead.
func (l *Ledger) checkTime(ctx context.Context, caller string, act followup.Act) error {
	if !act.At.After(l.Now().Add(maxAhead)) {
		return nil
	}
	stored, err := Load(ctx, l.store, caller)
	switch {
	case err != nil:
		return err
	case slices.ContainsFunc(stored.Calls, func(c followup.Call) bool { return c.Start.Equal(act.At) }):
		return nil
	}
	return fmt.Errorf("%w: %w", consumer.ErrPermanent, ErrFuture)
}

func (l *Ledger) readText(s *source, id string, parts []events.Part) {
	text := l.Policy.Text(id, parts...)
	numbers := make([]string, 0, len(parts))
	for _, p := range parts {
		numbers = append(numbers, l.canonical(p.Number()))
	}
	if caller := slices.Max(numbers); caller != "" && text.Events > 0 {
		s.facts[caller] = text.Of()
	}
}

func (l *Ledger) readCall(s *source, id string, parts []events.Part) {
	f := events.Fold(parts...)
	f.Line = cmp.Or(l.canonical(f.Line), f.Line) // the legs of a ring may spell it in several ways
	caller := followup.Subject(f, id, l.canonical)
	call := l.Policy.Call(id, f)
	// guard 10 ledger (OurOwn): if call.Effect == followup.Opens && false {
	if call.Effect == followup.Opens && followup.CalledItself(caller, f.Line, f.Outcome) {
		call.Effect, call.Who = "", followup.Who{} // somebody of us tried the line
	}
	if call.Who.Phone == caller {
		call.Who.Phone = "" // as of most, so that the item stays small
	}
	// What was said of others when fewer events were known does not hold any more. It is
	// written even if nothing was said: the order of the events must not show.
	void := call
	void.Effect, void.Who, void.Words, void.Recording = "", followup.Who{}, "", ""
	for _, p := range parts {
		if other := followup.Subject(events.Fold(p), id, l.canonical); other != "" {
			s.facts[other] = void.Of()
		}
	}
	if caller != "" {
		s.facts[caller] = call.Of()
	}
}

// news is what is new about a caller.
type news struct {
	caller string
	facts  followup.Facts
	// sources brought the facts; none if only contacts have changed.
	sources []*source
	written int
	err     error
}

// Refresh brings a caller's follow-up up to date after their contacts have changed.
func (l *Ledger) Refresh(ctx context.Context, caller string) error {
	return l.keep(ctx, &news{caller: caller})
}

// keep merges what is new into a follow-up. It logs its own errors.
func (l *Ledger) keep(ctx context.Context, n *news) error {
	line := []slog.Attr{slog.String("key", table.LogPartition(table.CallerPartition(n.caller)))}
	tries, state, err := l.tryToKeep(ctx, n)
	switch {
	case errors.Is(err, alert.ErrPostponed):
		return err // it is kept; only an alert has to wait
	case err != nil:
		l.log.LogAttrs(ctx, slog.LevelError, "follow-up not kept", append(line, slog.String("error", err.Error()))...)
		return err
	}
	// Each event brings one: only what begins or ends a wait is worth a line of the log.
	l.log.LogAttrs(ctx, slog.LevelDebug, "follow-up kept", append(line, slog.Int("tries", tries), slog.Bool("waits", state.Open()))...)
	return nil
}

func (l *Ledger) tryToKeep(ctx context.Context, n *news) (tries int, state followup.State, err error) {
	var before *followup.State
	for tries = 1; tries <= maxAttempts; tries++ {
		stored, err := Load(ctx, l.store, n.caller)
		if errors.Is(err, followup.ErrEncoding) && l.makesAnew(n.caller, stored) {
			err = nil
		}
		if err != nil {
			return tries, state, err
		}
		if stored.Version == 0 && len(n.sources) == 0 {
			return tries, state, l.tellOthers(ctx, n, stored.Others)
		}
		was := stored.State(l.Policy)
		if before == nil {
			before = &was
		}
		// guard 4: facts := followup.Merge(n.facts)
		facts := followup.Merge(stored.Facts, n.facts)
		facts.Person = stored.Person
		// guard 10 ledger (OurOwn): facts.Person.Own = false
		facts.Person.Own = l.Policy.Own[n.caller]
		facts = l.withoutHistory(n.caller, facts, was)
		state = facts.State(l.Policy)
		other, err := l.talkedElsewhere(ctx, state, stored.Others)
		if err != nil {
			return tries, state, err
		}
		item := itemOf(n.caller, facts, state, stored.Level(state), other)
		item[table.Version] = attr.Number(strconv.FormatInt(stored.Version, 10))
		if !maps.EqualFunc(item, stored.item, attr.Equal) {
			item[table.Version] = attr.Number(strconv.FormatInt(stored.Version+1, 10))
			updated, err := l.store.Update(ctx, item, stored.Version)
			if err != nil {
				return tries, state, fmt.Errorf("keep the follow-up: %w", err)
			}
			if !updated {
				before = nil
				continue
			}
			n.written++
			if stored.Version == 0 || state.Open() && len(stored.Others) > 0 {
				continue // whoever changed the contacts meanwhile, or talked with another number, saw the one before
			}
		}
		// guard 4 alert (NoKill): if n.written > 0 { err = l.tell(ctx, n, *before, state) }
		err = l.tell(ctx, n, *before, state)
		return tries, state, errors.Join(err, l.tellOthers(ctx, n, stored.Others))
	}
	return tries, state, ErrContended
}

// maxOthers is how many other numbers of a contact are looked at.
const maxOthers = 10

// talkedElsewhere returns the number, of the others that a caller has, with which somebody
// has talked last since the caller waits; "" for none, or if the caller does not wait.
func (l *Ledger) talkedElsewhere(ctx context.Context, state followup.State, others []string) (number string, err error) {
	if !state.Open() {
		return "", nil
	}
	last := state.Since()
	for _, other := range others[:min(len(others), maxOthers)] {
		stored, err := Load(ctx, l.store, other)
		if errors.Is(err, followup.ErrEncoding) {
			continue // it is no fault of this caller's
		}
		if err != nil {
			return "", err
		}
		if at := stored.Talked(); at.After(last) {
			number, last = other, at
		}
	}
	return number, nil
}

// tellOthers brings the follow-ups of the caller's other numbers up to date, if somebody may
// have talked with the caller, or not after all.
func (l *Ledger) tellOthers(ctx context.Context, n *news, others []string) (err error) {
	if len(n.facts.Calls)+len(n.facts.Texts) == 0 {
		return nil
	}
	for _, other := range others[:min(len(others), maxOthers)] {
		e := l.Refresh(ctx, other)
		theirs := errors.Is(e, followup.ErrEncoding) || errors.Is(e, alert.ErrPostponed)
		if !theirs || errors.Is(e, table.ErrUnavailable) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// tell tells of a follow-up that was brought up to date. What is told in vain is told
// again when the record comes again, although nothing is left to be written by then.
func (l *Ledger) tell(ctx context.Context, n *news, before, now followup.State) (err error) {
	if l.Changed != nil {
		err = l.Changed(ctx, n.caller, before, now)
	}
	if l.Followed == nil {
		return err
	}
	for _, s := range n.sources {
		err = errors.Join(err, l.Followed(ctx, s.key, n.caller, s.facts[n.caller], now))
	}
	if len(n.sources) == 0 {
		err = errors.Join(err, l.Followed(ctx, table.FollowUpKey(n.caller), n.caller, followup.Facts{}, now))
	}
	return err
}

// Stored is a follow-up as the table has it.
type Stored struct {
	followup.Facts

	// Person is what the address book says now; whether the number is one of our own is as the
	// follow-up has it. Others are the other numbers of the same contacts. OtherNumber is the
	// one of them that has talked with us since the caller waits, by the last time that it was
	// looked up.
	Person      followup.Person
	Others      []string
	OtherNumber string
	// Version is 0 if there is no follow-up.
	Version int64

	item table.Item
	// reminders are the marks of those that people were sent.
	reminders []table.Item
}

// Level returns at which level people were reminded last of a caller who waits; 0 if they
// were not.
func (s Stored) Level(state followup.State) (level int) {
	for _, mark := range s.reminders {
		if n, ok := table.ReadReminder(table.KeyOf(mark), state.EpisodeID()); ok && state.Open() {
			level = max(level, n)
		}
	}
	return level
}

// Load reads the follow-up of a caller. The error is the store's, or wraps
// [followup.ErrEncoding].
func Load(ctx context.Context, store table.Store, caller string) (Stored, error) {
	s, _, err := load(ctx, store, caller)
	return s, err
}

// load returns the time of the store's clock, too; see [table.Page].
func load(ctx context.Context, store table.Store, caller string) (s Stored, at time.Time, err error) {
	var items []table.Item
	query := table.FollowUp(caller)
	for {
		page, err := store.Query(ctx, query)
		if err != nil {
			return Stored{}, at, fmt.Errorf("read the follow-up: %w", err)
		}
		items, at = append(items, page.Items...), page.At
		if query.After = page.Next; query.After == "" {
			break
		}
	}
	s, err = Read(items)
	return s, at, err
}

// Read reads the follow-up of a caller from the items of [table.FollowUp]. The error wraps
// [followup.ErrEncoding]; then all but the facts is there.
func Read(items []table.Item) (s Stored, err error) {
	for _, item := range items {
		if !table.IsFollowUp(table.KeyOf(item)) {
			s.reminders = append(s.reminders, item) // and contacts, which are none
			continue
		}
		s.Facts, err = followup.Decode(table.FactsOf(item))
		s.Version, s.item = table.VersionOf(item), maps.Clone(item)
		delete(s.item, table.ExpiresAt) // the store sets it anew whenever the rest has changed
		s.OtherNumber = table.Text(item, table.OtherNumber)
	}
	entry := addressbook.Read(items)
	s.Person, s.Others = entry.Person(), entry.Others
	s.Person.Own = s.Facts.Person.Own
	return s, err //nolint:wrapcheck // it says what cannot be read
}

// itemOf returns the item of a follow-up, without its version. What lists show stands in
// attributes of its own.
func itemOf(caller string, facts followup.Facts, s followup.State, level int, otherNumber string) table.Item {
	key := table.FollowUpKey(caller)
	item := table.Item{
		table.PK: attr.String(key.PK), table.SK: attr.String(key.SK),
		table.Facts: attr.Binary(facts.Encode()),
		table.State: attr.String("new"),
	}
	set := func(name, text string) {
		if text != "" {
			item[name] = attr.String(text)
		}
	}
	set(table.Name, facts.Person.Name)
	set(table.Company, facts.Person.Company)
	if !s.Open() {
		if c, ok := s.Closing(); ok {
			set(table.State, string(c.Reason))
			set(table.Agent, c.By)
		}
		return item
	}

	set(table.GSI3PK, table.WaitingPartition)
	set(table.GSI3SK, table.WaitingSort(key, s.Since()))
	set(table.State, "waiting")
	if s.Unreached() {
		set(table.State, table.Unreached)
	}
	n, more := s.Count()
	count := strconv.Itoa(n)
	if more {
		count += "+"
	}
	last := s.Last()
	set(table.Since, table.Time(s.Since()))
	set(table.Latest, table.Time(last.Start))
	set(table.Count, count)
	set(table.Attempts, strconv.Itoa(len(s.Attempts())))
	set(table.Outcome, string(s.Outcome()))
	set(table.Call, last.ID)
	set(table.Line, s.Line())
	set(table.LineName, s.LineName())
	if facts.Person.Name == "" {
		set(table.CallerName, s.Who().Name)
	}
	words, recording := s.Voicemail()
	set(table.Words, words)
	set(table.RecordingURL, recording)
	if level > 0 {
		set(table.Level, strconv.Itoa(level))
	}
	set(table.OtherNumber, otherNumber)
	// The item does not depend on when it is written: whoever shows it compares the times
	// with their own clock. Of several claims, it has the one that ends last.
	for claim, ok := s.Claim(time.Time{}); ok; claim, ok = s.Claim(claim.Until) {
		set(table.Claim, claim.By)
		set(table.ClaimedUntil, table.Time(claim.Until))
	}
	if until := s.SnoozedUntil(time.Time{}); !until.IsZero() {
		set(table.SnoozedUntil, table.Time(until))
	}
	return item
}
