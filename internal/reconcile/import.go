package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/addressbook"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/justcall"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/spelling"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/timing"
)

// imports are the lists that an import goes through, in this order.
var imports = []struct {
	name  string // of the item with its progress
	Title string
	rows  func(*justcall.Client) lister
	// page is how many rows a page has.
	page int
}{
	{importPrefix + "CONTACTS", "contacts", contacts, 500},
	{importPrefix + textsItem, "texts", texts, 100},
	{importPrefix + callsItem, "calls", calls, 100},
	{importPrefix + "DIALER", "sales dialer calls", dialerCalls, 100},
}

func dialerCalls(c *justcall.Client) lister {
	return func(ctx context.Context, from justcall.Cursor) pages {
		return rows(c.SalesDialerCalls(ctx, from), func(c justcall.Call) row {
			return row{typ: events.TypeSalesDialerCallCompleted, id: c.ID, sid: c.SID, at: c.StartedAt, underWay: c.UnderWay(), raw: c.Raw}
		})
	}
}

func contacts(c *justcall.Client) lister {
	return func(ctx context.Context, from justcall.Cursor) pages {
		return rows(c.Contacts(ctx, from), func(c justcall.Contact) row {
			return row{typ: events.TypeContactUpdated, id: c.ID, raw: c.Raw}
		})
	}
}

// Importer brings what JustCall has of the past into a table, and alerts nobody: no
// consumer sees what it writes. What follows from it is made anew at the end.
type Importer struct {
	// Account tells an account's keys from others', as [Reconciler.Account] does; "" if that
	// is no matter.
	Account string
	// Done is told of each page, and of each step at the end.
	Done func(Imported)
	// Changed is told of the follow-ups that the end brings up to date, as [ledger.Ledger]
	// does. Nil tells nobody.
	Changed func(ctx context.Context, caller string, before, after followup.State) error
	// Now returns the time. NewImporter sets it, tests replace it.
	Now func() time.Time
	// Own are our own numbers: see [followup.Policy].
	Own map[string]bool

	client    *justcall.Client
	store     table.Store
	canonical func(number string) string
	finder    finder
	since     time.Duration
}

// Imported is how far an import has come with a list.
type Imported struct {
	// List is what is read: "calls", for example.
	List string
	// Rows were read so far, in this run and in those before it, and Written are those
	// that were missing. Total is how many JustCall says there are, -1 if it does not.
	Rows, Written, Total int
	// TooLarge were missing, and cannot be stored.
	TooLarge int
	// Finished is set if there are no more.
	Finished bool
}

// NewImporter returns an import of that much of the past. canonical returns the one form
// of all spellings of a number.
func NewImporter(client *justcall.Client, store table.Store, canonical func(string) string, since time.Duration) *Importer {
	return &Importer{
		Done: func(Imported) {}, Now: time.Now,
		client: client, store: store, canonical: canonical, finder: finder{store}, since: since,
	}
}

// importing is what is kept of a list between two runs of an import.
type importing struct {
	// Asked is how many seconds the import goes back, from when it Began; 0 after its end.
	Asked    int64           `json:"asked"`
	Began    time.Time       `json:"began"`
	From     justcall.Cursor `json:"from"`
	Rows     int             `json:"rows"`
	Written  int             `json:"written"`
	TooLarge int             `json:"too_large,omitzero"`
	Finished bool            `json:"finished,omitzero"`
}

// first is the time of the oldest row that is imported.
func (p importing) first() time.Time { return p.Began.Add(-time.Duration(p.Asked) * time.Second) }

// Plan is what an import would do with a list.
type Plan struct {
	List string
	// Rows are all that JustCall lists, -1 if it does not say, and Requests how many it
	// takes at most to read them; -1 if that is not known.
	Rows, Requests int
	// Resumes is set if an earlier import was stopped, after Read rows.
	Resumes bool
	Read    int
}

// ErrOtherAccount means that a reconciler has put calls into the table with other keys, and
// that none of those that these keys show is there.
var ErrOtherAccount = errors.New("the table has another account's calls: none of the newest that these keys show is in it. " +
	"Import into a folder or a stack of its own")

// Plan looks at each list, and changes nothing. The error wraps [ErrOtherAccount] if the keys
// are another account's than those that the table was filled with.
func (m *Importer) Plan(ctx context.Context) ([]Plan, error) {
	if err := m.checkAccount(ctx); err != nil {
		return nil, err
	}
	all := make([]Plan, len(imports))
	for i, list := range imports {
		all[i] = Plan{List: list.Title, Rows: -1, Requests: -1}
		for page, err := range list.rows(m.client)(ctx, justcall.Cursor{}) {
			if err != nil {
				return nil, err
			}
			switch {
			case page.Total >= 0:
				all[i].Rows = page.Total
			case len(page.Rows) < list.page:
				all[i].Rows = len(page.Rows)
			}
			if all[i].Rows >= 0 {
				all[i].Requests = max(1, (all[i].Rows+list.page-1)/list.page)
			}
			break
		}
		var p importing
		if _, err := m.resume(ctx, list.name, &p); err != nil {
			return nil, err
		}
		all[i].Resumes, all[i].Read = p.Rows > 0, p.Rows
	}
	return all, nil
}

func (m *Importer) checkAccount(ctx context.Context) error {
	var known account
	version, err := loadAnew(ctx, m.store, accountItem, &known)
	if err != nil || version == 0 || m.Account == "" || known.Name == m.Account {
		return err
	}
	is, err := hasKnownCall(ctx, m.client, m.finder, m.Now())
	// guard 12 reconcile (AnImportFromAnother): if err == nil && !is && false {
	if err == nil && !is {
		return ErrOtherAccount
	}
	return err
}

// resume reads how far an import of the same time has come. If none was stopped, it
// begins anew.
func (m *Importer) resume(ctx context.Context, name string, p *importing) (version int64, err error) {
	version, err = loadAnew(ctx, m.store, name, p)
	if err != nil {
		return 0, err
	}
	if asked := int64(m.since / time.Second); p.Asked != asked {
		now := m.Now()
		// By JustCall's clock, or the newest rows would be left out, and the reconciler's first run
		// would not go back to where this import ends.
		if difference := m.client.Ahead(); difference.Abs() > ahead {
			now = now.Add(difference)
		}
		*p = importing{Asked: asked, Began: now.UTC().Truncate(time.Second)}
	}
	return version, nil
}

// Run imports. A run that is stopped, be it killed, loses no more than the page under
// way; another Run goes on there. What is in the table stays as it is.
func (m *Importer) Run(ctx context.Context) error {
	for _, list := range imports {
		if err := m.list(ctx, list.name, list.Title, list.rows(m.client)); err != nil {
			return fmt.Errorf("import %s: %w", list.Title, err)
		}
	}
	// guard 12 reconcile (AnImportFills): if err := error(nil); err != nil {
	if err := m.derive(ctx); err != nil {
		return err
	}
	// Another import of the same time begins anew. The reconciler's first run begins where this
	// one did.
	for _, list := range imports {
		var p importing
		version, err := loadAnew(ctx, m.store, list.name, &p)
		if err == nil {
			err = save(ctx, m.store, list.name, importing{Began: p.Began}, version)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (m *Importer) list(ctx context.Context, name, title string, all lister) error {
	var p importing
	version, err := m.resume(ctx, name, &p)
	if err != nil || p.Finished {
		return err
	}
	spellings := spelling.New(m.store, m.canonical, slog.New(slog.DiscardHandler))
	for page, err := range all(ctx, p.From) {
		if err != nil {
			return err
		}
		written, tooLarge, err := m.page(ctx, page.Rows, p, spellings)
		if err != nil {
			return err
		}
		p.TooLarge += tooLarge
		// guard 12 reconcile (AnImportThatIsKilled): p.Rows, p.Written = page.Next.Rows, p.Written+written
		p.Rows, p.Written, p.From = page.Next.Rows, p.Written+written, page.Next
		p.Finished = !m.goesOn(page.Rows, p)
		if err := save(ctx, m.store, name, p, version); err != nil {
			return err
		}
		version++
		m.Done(Imported{List: title, Rows: p.Rows, Written: p.Written, Total: page.Total, TooLarge: p.TooLarge, Finished: p.Finished})
		if p.Finished {
			return nil
		}
	}
	p.Finished = true
	m.Done(Imported{List: title, Rows: p.Rows, Written: p.Written, Total: p.Rows, TooLarge: p.TooLarge, Finished: true})
	return save(ctx, m.store, name, p, version)
}

// goesOn reports whether one of the last rows of a page is young enough.
func (m *Importer) goesOn(rows []row, p importing) bool {
	for _, r := range rows[len(rows)*3/4:] {
		if r.at.IsZero() || !r.at.Before(p.first()) {
			return true
		}
	}
	return len(rows) == 0
}

// page writes what is missing of a page.
func (m *Importer) page(ctx context.Context, rows []row, p importing, spellings *spelling.Book) (written, tooLarge int, err error) {
	var all []*candidate
	for _, r := range rows {
		outside := !r.at.IsZero() && (r.at.Before(p.first()) || r.at.After(p.Began))
		// What is under way, the webhook or the reconciler tells.
		// guard 12 reconcile (AnImportFills): underWay := r.underWay
		underWay := r.underWay && p.Began.Sub(r.at) < longestCall
		if outside || underWay || r.deleted {
			continue
		}
		if c, ok := newCandidate(r, table.FoundByImport, p.Began); ok {
			all = append(all, c)
		}
	}
	errs := make([]error, len(all))
	created, large := make([]bool, len(all)), make([]bool, len(all))
	numbers := make([]table.Item, len(all))
	timing.Indexes(len(all), func(i int) {
		news, err := m.finder.isNews(ctx, all[i])
		if err == nil && news {
			var result ingest.Result
			result, err = ingest.Store(ctx, quiet{m.store}, all[i].received, all[i].delivery)
			created[i] = result.Status == ingest.StatusStored
			if large[i] = errors.Is(err, table.ErrTooLarge); large[i] { // it keeps no other
				err = nil
			}
		}
		errs[i] = err
		key := all[i].key()
		numbers[i] = table.Item{
			table.PK: attr.String(key.PK), table.SK: attr.String(key.SK), table.GSI1PK: attr.String(table.PhonePartition(all[i].part.Phone)),
		}
	})
	if err := cmp.Or(errs...); err != nil {
		return 0, 0, err
	}
	for i := range all {
		if created[i] {
			written++
		}
		if large[i] {
			tooLarge++
		}
	}
	return written, tooLarge, cmp.Or(spellings.Process(ctx, numbers)...)
}

// quiet is a table whose consumers do not see what is put into it.
type quiet struct{ table.Store }

// Put implements [ingest.Putter].
func (q quiet) Put(ctx context.Context, item table.Item) (created bool, err error) {
	return q.Update(ctx, table.Versioned(item), 0)
}

// derive makes anew what follows from what was imported: the address book, and who waits.
// Of what happened more than a day ago, nobody waits.
func (m *Importer) derive(ctx context.Context) error {
	silent := slog.New(slog.DiscardHandler)
	book := addressbook.New(m.store, m.canonical, silent)
	read, err := book.Rebuild(ctx, "", func(p addressbook.Progress) {
		m.Done(Imported{List: "address book", Rows: p.Contacts, Written: p.Written, Total: -1})
	})
	if err != nil {
		return fmt.Errorf("make the address book: %w", err)
	}
	m.Done(Imported{List: "address book", Rows: read.Contacts, Written: read.Written, Total: read.Contacts, Finished: true})
	followUps := ledger.New(m.store, m.canonical, silent)
	followUps.Now, followUps.Policy.Own = m.Now, m.Own
	followUps.Changed = m.Changed
	sources, err := followUps.Rebuild(ctx, func(p ledger.Progress) {
		m.Done(Imported{List: "who waits", Rows: p.Sources, Written: p.Written, Total: -1})
	})
	if err != nil {
		return fmt.Errorf("find out who waits: %w", err)
	}
	m.Done(Imported{List: "who waits", Rows: sources.Sources, Written: sources.Written, Total: sources.Sources, Finished: true})
	return nil
}
