package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/justcall"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/timing"
)

const (
	// Every is the time between two runs.
	Every = 15 * time.Minute
	// overlap is how far a run goes back behind what the last one looked at.
	overlap = 15 * time.Minute
	// firstLook is how far the first run goes back. What is older was before the user
	// asked, and an import brings it.
	firstLook = time.Hour
	// longestLook is how far any run goes back. Nobody would wait for a call back so long.
	longestLook = 7 * 24 * time.Hour // guard 12 reconcile (ADayWithout): longestLook = 12 * time.Hour
	// endTime is left of a run's time for what is not a walk.
	endTime = time.Minute
	// sendAgain is how long what was put in may take to be in the table. Then it is put in
	// again. No more than maxSent are remembered.
	sendAgain, maxSent = 4 * time.Hour, 100
	day                = 24 * time.Hour
)

var (
	// ErrAccount means that nothing shows that the keys are of the account whose webhook
	// this is.
	ErrAccount = errors.New("none of the account's newest calls is in the table, and none of its webhooks is this stack's: " +
		"are the keys those of another account? Otherwise run \"ringback connect\", and call one of your lines")
	// ErrEmpty means that a list that had rows has none.
	ErrEmpty = errors.New("JustCall lists none, though there were some: is it another account, or another plan?")
)

// Sink stores what no webhook brought.
type Sink interface {
	// Send returns without an error once the delivery is on durable storage, from which
	// the table will get it. Last is set for a call of somebody who may wait: it must
	// reach the table after what was sent before it. The error wraps [table.ErrTooLarge] if
	// the delivery can never be stored.
	Send(ctx context.Context, r ingest.Received, last bool) error
}

// Reconciler finds what the webhook lost.
type Reconciler struct {
	// Account tells an account's keys from others', and is no secret: see
	// [justcall.Credentials.Name].
	Account string
	// WebhookURL is where JustCall is to post, without the token; "" if that is not
	// known, so that nobody looks whether it does.
	WebhookURL string
	// Retention is how long events are kept. Older rows are left where they are.
	Retention table.Retention
	// People are told when JustCall no longer posts what it should; nil where an alarm does.
	People alert.Publisher
	// MaxAlertAge is how old a call is of which no alert goes out; 0 for any.
	MaxAlertAge time.Duration
	// Now returns the time. New sets it, tests replace it.
	Now func() time.Time

	client *justcall.Client
	store  table.Store
	finder finder
	sink   Sink
	log    *slog.Logger
}

// New returns a reconciler. It reads store, in which it writes only how far it has come,
// and puts what it finds into sink. The log lines hold no personal data.
func New(client *justcall.Client, store table.Store, sink Sink, log *slog.Logger) *Reconciler {
	return &Reconciler{Now: time.Now, client: client, store: store, finder: finder{store}, sink: sink, log: log}
}

// Report is what a run did.
type Report struct {
	// Found are the rows that were put in, and TooOld are those among them that alert
	// nobody because of their age.
	Found, TooOld int
	// Waiting are rows that wait for the next run.
	Waiting int
	// Behind is set if there was no time for all rows: the next run goes on.
	Behind bool
	// Inactive are the types of events that JustCall does not post to us as it should.
	Inactive int
}

// run is one run.
type run struct {
	*Reconciler
	Report

	ends  time.Time // of the walks; zero for never
	spent bool      // the account's limits, or the time, allow no other request
}

// list is one of JustCall's lists in a run.
type list struct {
	*run
	progress

	name    string // of the item with its progress
	version int64  // of that
	rows    lister
	begun   bool   // what is new was looked at
	today   string // of the newest row, by the account's clock; "" if there is none
	put     map[table.Key]*candidate
	openers []*candidate // those among them that are not sent yet
	// settling are calls that wait for the next run because their webhook may still come.
	settling map[table.Key]*candidate
	failure  error // why a walk was cut off
}

func (r *run) list(name string, rows lister) *list {
	return &list{run: r, name: name, rows: rows, put: make(map[table.Key]*candidate), settling: make(map[table.Key]*candidate)}
}

// Run looks once. What fails does not keep the rest from being looked at; the next run
// does it. A run that is cut off loses nothing. The error says what to do, or what was
// to be done.
func (r *Reconciler) Run(ctx context.Context) (Report, error) {
	now := &run{Reconciler: r}
	if deadline, ok := ctx.Deadline(); ok {
		now.ends = deadline.Add(-endTime)
	}
	hooked, unposted, hookErr := now.lookAtHooks(ctx)
	if isRefusal(hookErr) {
		return now.Report, hookErr // as anything else would be
	}
	if err := now.checkAccount(ctx, hooked); err != nil {
		return now.Report, together(hookErr, err)
	}
	if hookErr == nil && r.WebhookURL != "" {
		// guard 12 reconcile (PeopleAreTold): hookErr = now.tellOfHooks(ctx, unposted[:0])
		hookErr = now.tellOfHooks(ctx, unposted)
	}
	// What is new of texts comes first: one may be the answer to a call. Their day comes last:
	// no call waits for it.
	texts, calls := now.list(textsItem, texts(r.client)), now.list(callsItem, calls(r.client))
	// guard 12 reconcile (ADaysTextsKeep): err := together(hookErr, texts.begin(ctx), texts.end(ctx), calls.begin(ctx), calls.end(ctx))
	err := together(hookErr, texts.begin(ctx), calls.begin(ctx), calls.end(ctx), texts.end(ctx))
	if difference := r.client.Ahead(); difference.Abs() > ahead {
		r.log.LogAttrs(ctx, slog.LevelWarn, "JustCall's clock and this machine's differ: calls look older or younger than they are",
			slog.Int64("aheadSeconds", int64(difference/time.Second)))
	}
	r.log.LogAttrs(ctx, slog.LevelInfo, "reconciled",
		slog.Int("found", now.Found), slog.Int("tooOldToAlert", now.TooOld), slog.Int("waiting", now.Waiting),
		slog.Bool("behind", now.Behind), slog.Int("webhooksInactive", now.Inactive), slog.Bool("complete", err == nil))
	return now.Report, err
}

// failures are errors in one line. What JustCall refuses in one way is said once.
type failures []error

// together returns errors as one, nil if all are.
func together(errs ...error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) == 0 {
		return nil
	}
	return failures(errs)
}

func (f failures) Error() string {
	var texts []string
	seen := make(map[string]bool)
	for _, err := range f {
		text := strings.ReplaceAll(err.Error(), "\n", "; ")
		kind := text
		failure := (*justcall.Error)(nil)
		if errors.As(err, &failure) {
			kind = strconv.Itoa(failure.Status)
		} else if errors.Is(err, justcall.ErrResponse) {
			kind = justcall.ErrResponse.Error()
		} else if strings.HasPrefix(text, "JustCall:") && errors.Is(err, context.DeadlineExceeded) {
			kind = context.DeadlineExceeded.Error()
		}
		if !seen[kind] {
			seen[kind] = true
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns all of them.
func (f failures) Unwrap() []error { return f }

// isRefusal reports whether JustCall does not accept the keys.
func isRefusal(err error) bool {
	failure := (*justcall.Error)(nil)
	const unauthorized = 401
	return errors.As(err, &failure) && failure.Status == unauthorized
}

// late reports whether no walk may go on.
func (r *run) late() bool { return r.spent || !r.ends.IsZero() && time.Until(r.ends) <= 0 }

// begin looks at what is new, and at what earlier runs had no time for.
func (l *list) begin(ctx context.Context) (err error) {
	l.version, err = load(ctx, l.store, l.name, &l.progress)
	if errors.Is(err, errDamaged) {
		l.log.LogAttrs(ctx, slog.LevelWarn, "all of a week is looked at: how far the last run has come cannot be read", slog.String("list", l.name))
		l.progress, err = progress{Mark: &mark{At: l.Now().Add(-longestLook)}}, nil
	}
	if err != nil {
		return err
	}
	walking, cancel := timing.WithMargin(ctx, endTime)
	defer cancel()
	if err := l.newRows(ctx, walking); err != nil {
		return err
	}
	l.begun = true
	// guard 12 reconcile (ARunThatIsCutOff): if false {
	if l.Rest != nil && l.failure == nil && !l.late() {
		l.restOf(ctx, walking)
	}
	return nil
}

// end looks at the day before, puts in the calls that nobody served, and keeps how far the
// list has come.
func (l *list) end(ctx context.Context) error {
	if !l.begun {
		return nil
	}
	walking, cancel := timing.WithMargin(ctx, endTime)
	defer cancel()
	// guard 12 reconcile (ADayIsCompared): if false {
	// guard 12 reconcile (ADaysTexts): if l.name == callsItem && l.failure == nil && !l.late() {
	if l.failure == nil && !l.late() {
		l.compareDays(ctx, walking)
	}
	if err := l.putOpeners(ctx); err != nil {
		return errors.Join(l.failure, err)
	}
	l.Behind = l.Behind || l.Rest != nil
	if l.failure == nil {
		l.Ran = l.Now().UTC().Truncate(time.Second)
	}
	l.keepSent()
	return errors.Join(l.failure, save(ctx, l.store, l.name, l.progress, l.version))
}

// keepSent keeps which rows were put in that the next run looks at again. One that can never
// be stored would be put in by every run until the list goes on.
func (l *list) keepSent() {
	now := l.Now().UTC().Truncate(time.Second)
	maps.DeleteFunc(l.Sent, func(_ string, at time.Time) bool { return now.Sub(at) >= sendAgain })
	for _, c := range l.put {
		if len(l.Sent) < maxSent && l.isAfter(c.row, *l.Mark, row{}) {
			if l.Sent == nil {
				l.Sent = make(map[string]time.Time)
			}
			l.Sent[c.delivery.Digest] = now
		}
	}
}

// wasSent reports whether an earlier run has put a row in lately, just as it is.
func (l *list) wasSent(c *candidate) bool {
	at, ok := l.Sent[c.delivery.Digest]
	// guard 5 reconcile (ARowThatIsTooLarge): return ok && at.IsZero()
	return ok && l.Now().Sub(at) < sendAgain
}

// putOpeners puts in the calls that nobody served, after all else.
func (l *list) putOpeners(ctx context.Context) error {
	noted := l.noteLate(ctx)
	// guard 2 reconcile (WithoutADigest): if noted != nil { return noted
	if noted != nil { // nothing would tell of these; the next run finds them again
		l.openers = slices.DeleteFunc(l.openers, l.isSilent)
	}
	// guard 12 reconcile (WhoWasJustCalledBack): if err := error(nil); err != nil {
	if err := l.putAnswers(ctx); err != nil {
		return together(noted, err)
	}
	errs := make([]error, len(l.openers))
	timing.Indexes(len(l.openers), func(i int) { errs[i] = l.send(ctx, l.openers[i]) })
	// guard 12 reconcile (SendingFails): _ = together(noted, cmp.Or(errs...)); return nil
	return together(noted, cmp.Or(errs...))
}

// putAnswers puts in the calls that have just ended with those who are about to be put in
// as waiting: if one is a call back, people would be reminded of somebody who was served,
// until the next run.
func (l *list) putAnswers(ctx context.Context) error {
	who := make(map[string]bool)
	for _, c := range l.openers {
		who[c.part.Phone] = true
	}
	delete(who, "") // numbers that are withheld may be anybody's
	var answers []*candidate
	for _, c := range l.settling {
		if !c.opens() && who[c.part.Phone] && l.put[c.key()] == nil {
			answers = append(answers, c)
		}
	}
	news, errs := make([]bool, len(answers)), make([]error, len(answers))
	timing.Indexes(len(answers), func(i int) {
		if news[i], errs[i] = l.finder.isNews(ctx, answers[i]); news[i] {
			errs[i] = l.send(ctx, answers[i])
		}
	})
	for i := range answers {
		if news[i] && errs[i] == nil {
			l.Found++
		}
	}
	return cmp.Or(errs...)
}

// newRows looks at what is new since the last run.
func (l *list) newRows(ctx, walking context.Context) error {
	imported, err := l.importedUntil(ctx)
	if err != nil {
		return err
	}
	w := walk{list: l, proves: true, wants: func(x, newest row) bool {
		if l.Mark == nil {
			start := newest.at
			if start.IsZero() {
				start = l.Now()
			}
			start = start.Add(overlap - firstLook)
			// guard 12 reconcile (WhatHappenedDuringAnImport): if false {
			if !imported.IsZero() && imported.Before(start) {
				start = imported
			}
			l.Mark = &mark{At: start}
		}
		return l.isAfter(x, *l.Mark, newest)
	}}
	if err := w.over(ctx, l.rows(walking, justcall.Cursor{})); err != nil {
		return err
	}
	l.Found, l.Waiting = l.Found+w.found, l.Waiting+w.waits
	l.logWalk(ctx, "new", &w)
	l.today = w.newest.day
	switch {
	// guard 12 reconcile (AnAPIThatIsDown): case false:
	case w.newest.raw == nil && l.Mark != nil && l.Mark.ID > 0:
		return fmt.Errorf("%s: %w", l.name, ErrEmpty)
	case w.newest.raw == nil:
		l.Mark = &mark{At: l.Now()}
		return nil
	}
	was := *l.Mark
	l.Mark = &mark{ID: max(was.ID, w.newest.id), At: w.newest.at}
	if l.Mark.At.IsZero() {
		l.Mark.At = was.At
	}
	// guard 12 reconcile (WhatIsNotOver): _ = w.held
	l.Mark.holdBack(w.held)
	if w.cut {
		to := was
		if l.Rest != nil {
			to = l.Rest.To
		}
		l.Rest = &rest{From: w.cursor, To: to}
	}
	return nil
}

// importedUntil returns up to when all that was over was there for an import of the last
// week; zero if the runs have begun, or there was none.
func (l *list) importedUntil(ctx context.Context) (time.Time, error) {
	if l.Mark != nil {
		return time.Time{}, nil
	}
	var last importing
	if _, err := loadAnew(ctx, l.store, importPrefix+l.name, &last); err != nil || last.Began.Before(l.Now().Add(-longestLook)) {
		return time.Time{}, err
	}
	return last.Began.Add(-longestCall), nil
}

// holdBack moves a mark before the rows that wait.
func (m *mark) holdBack(held mark) {
	if held.ID > 0 {
		m.ID = min(m.ID, held.ID)
	}
	if !held.At.IsZero() && held.At.Before(m.At) {
		m.At = held.At
	}
}

// isAfter reports whether a row is to be looked at although all up to a mark were.
func (r *run) isAfter(x row, m mark, newest row) bool {
	switch {
	case r.isTooOld(x, newest):
		return false
	// guard 12 reconcile (AClockThatIs): case false:
	case m.ID > 0 && x.id > m.ID: // whatever JustCall's clock says
		return true
	}
	return !x.at.IsZero() && !x.at.Before(m.At.Add(-overlap))
}

// isTooOld reports whether a row is left to an import, or was deleted here.
func (r *run) isTooOld(x, newest row) bool {
	if x.at.IsZero() {
		return false
	}
	// guard 12 reconcile (AWalkEnds): if false {
	if r.Retention > 0 && x.at.Before(r.Now().Add(-time.Duration(r.Retention)*day)) {
		return true
	}
	return !newest.at.IsZero() && x.at.Before(newest.at.Add(-longestLook))
}

// restOf goes on with what an earlier run had no time for. What fails in it keeps nothing that
// is new from being put in.
func (l *list) restOf(ctx, walking context.Context) {
	to := l.Rest.To
	newest := row{at: l.Mark.At}
	w := walk{list: l, cursor: l.Rest.From, wants: func(x, _ row) bool { return l.isAfter(x, to, newest) }}
	if err := w.over(ctx, l.rows(walking, l.Rest.From)); err != nil {
		w.stop(ctx, err)
	}
	l.Found, l.Waiting = l.Found+w.found, l.Waiting+w.waits
	l.logWalk(ctx, "rest", &w)
	l.Mark.holdBack(w.held)
	l.Rest.From = w.cursor
	if !w.cut {
		l.Rest = nil
	}
}

// logWalk writes what a walk came to. What became of the newest row proves that a walk that
// found nothing could have found something.
func (l *list) logWalk(ctx context.Context, part string, w *walk) {
	attributes := []slog.Attr{
		slog.String("list", l.name), slog.String("part", part), slog.Int("pages", w.pages), slog.Int("rows", w.rows),
		slog.Int("looked", w.looked), slog.Int("found", w.found), slog.Int("waiting", w.waits), slog.Int("odd", w.odd),
		slog.Bool("cut", w.cut),
	}
	if w.proves {
		newest := int64(-1)
		if !w.newest.at.IsZero() {
			newest = int64(l.Now().Sub(w.newest.at) / time.Second)
		}
		attributes = append(attributes, slog.String("newest", w.proof), slog.Int64("newestSeconds", newest))
	}
	l.log.LogAttrs(ctx, slog.LevelInfo, "list looked at", attributes...)
}

// checkAccount makes sure that the keys are of the account whose calls the table has:
// with another's, every row would be news. Hooked is set if one of its webhooks is ours.
func (r *run) checkAccount(ctx context.Context, hooked bool) error {
	var known account
	version, err := loadAnew(ctx, r.store, accountItem, &known)
	if err != nil || known.Name == r.Account && version > 0 {
		return err
	}
	if !hooked {
		switch is, err := hasKnownCall(ctx, r.client, r.finder, r.Now()); {
		case err != nil:
			return err
		// guard 12 reconcile (AnotherAccounts): case !is && false:
		case !is:
			return ErrAccount
		}
	}
	known.Name = r.Account
	return save(ctx, r.store, accountItem, known, version)
}

// hasKnownCall reports whether one of the account's newest calls is in the table.
func hasKnownCall(ctx context.Context, client *justcall.Client, f finder, now time.Time) (bool, error) {
	for page, err := range calls(client)(ctx, justcall.Cursor{}) {
		if err != nil {
			return false, err
		}
		for _, x := range page.Rows {
			c, ok := newCandidate(x, "", now)
			if !ok {
				continue
			}
			if known, err := f.known(ctx, c); known || err != nil {
				return known, err
			}
		}
		break
	}
	return false, nil
}
