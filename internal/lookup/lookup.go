package lookup

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/hours"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/phone"
	"github.com/ringback/ringback/internal/table"
)

// Errors of a look-up, beside those of the [table.Store]. Ask with errors.Is. No error
// text has what was asked for in it.
var (
	// ErrNotFound: the table has nothing of the kind.
	ErrNotFound = errors.New("nothing found")
	// ErrNumber: a text is no telephone number.
	ErrNumber = errors.New("that is no telephone number")
	// ErrID: a text is no id.
	ErrID = errors.New("that is no id")
	// ErrCursor: a cursor is not from a page of the same look-up.
	ErrCursor = errors.New("that cursor is of another look-up, or was changed: begin again without it")
	// ErrSpan: days are to come, are not in order, or are too many.
	ErrSpan = errors.New("no such days")
)

// Store is what look-ups need of a table.
type Store interface {
	Query(ctx context.Context, q table.Query) (table.Page, error)
	Scan(ctx context.Context, prefix string, after table.Cursor) (table.Page, error)
}

// Lookup looks things up in a table. Its methods may be called concurrently.
type Lookup struct {
	// Policy says what calls mean. New sets the default one.
	Policy followup.Policy
	// Lines has the business hours. The zero Lines is always open.
	Lines hours.Lines
	// Now returns the time. New sets it to time.Now.
	Now func() time.Time

	store   table.Store // readOnly
	numbers phone.Book
	zone    *time.Location

	// shown are numbers as people read them. Lists repeat the account's own, and to work
	// one out takes longer than to read an item.
	mu    sync.Mutex
	shown map[string]string
}

// maxShown is how many numbers are remembered.
const maxShown = 1000

// New returns look-ups in a store, which are never written. numbers reads numbers as they
// are written where the stack is at work; it must be the stack's own. zone is where days
// and hours are told.
func New(store Store, numbers phone.Book, zone *time.Location) *Lookup {
	return &Lookup{
		Policy: followup.Default(), Now: time.Now, store: readOnly{store}, numbers: numbers, zone: zone,
		shown: make(map[string]string),
	}
}

// Store returns what is looked up in, for who takes a table that is only read.
func (l *Lookup) Store() table.Store { return l.store }

// Zone returns where days and hours are told.
func (l *Lookup) Zone() *time.Location { return l.zone }

// Today returns the present day: midnight in the look-up's zone.
func (l *Lookup) Today() time.Time { return l.dayOf(l.Now()) }

func (l *Lookup) dayOf(at time.Time) time.Time {
	year, month, day := at.In(l.zone).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, l.zone)
}

// readOnly is a store as other packages take one, which refuses to be written.
type readOnly struct{ Store }

var errReadOnly = errors.New("a look-up writes nothing")

func (readOnly) Put(context.Context, table.Item) (bool, error) { return false, errReadOnly }

func (readOnly) Update(context.Context, table.Item, int64) (bool, error) { return false, errReadOnly }

// Cursor is where a page ends. It is safe in URLs and command lines.
type Cursor string

// Page says which part of a list is wanted.
type Page struct {
	// Limit is how many rows a page has at most; 0 for 50.
	Limit int
	// After is the Next of the page before it; "" for the first.
	After Cursor
}

const (
	defaultLimit = 50
	maxLimit     = 1000
)

func (p Page) limit() int {
	if p.Limit <= 0 {
		return defaultLimit
	}
	return min(p.Limit, maxLimit)
}

// digestSize is how many bytes of a hash name the look-up that a cursor belongs to.
const digestSize = 8

func digest(lookUp string) []byte {
	sum := sha256.Sum256([]byte(lookUp))
	return sum[:digestSize]
}

// cursorOf returns a cursor of a look-up, with the position that is to be continued.
func cursorOf(lookUp string, position any) Cursor {
	text, _ := json.Marshal(position) // positions have a JSON form
	return Cursor(base64.RawURLEncoding.EncodeToString(append(digest(lookUp), text...)))
}

// read decodes the cursor of a look-up. The position stays as it is if the cursor is "". The
// error is [ErrCursor].
func (c Cursor) read(lookUp string, position any) error {
	if c == "" {
		return nil
	}
	b, err := base64.RawURLEncoding.DecodeString(string(c))
	if err != nil || len(b) < digestSize || string(b[:digestSize]) != string(digest(lookUp)) ||
		json.Unmarshal(b[digestSize:], position, json.RejectUnknownMembers(true)) != nil {
		return ErrCursor
	}
	return nil
}

// cursorError turns the error of a query that continues a page into one of this package.
func cursorError(err error, after Cursor) error {
	if after != "" && errors.Is(err, table.ErrQuery) {
		return ErrCursor
	}
	return err
}

// The longest texts that are shown, in characters.
const (
	maxName = alert.MaxName
	maxText = 2000
)

// Party is somebody outside, and how to reach them.
type Party struct {
	// Key names the party in the table and in commands: a number in canonical form, or
	// "call:" and the id of a voicemail's call if nobody knows the number. "" if
	// nothing is known.
	Key string `json:"caller,omitzero"`
	// Number is "+" and digits, Shown the same for people to read and dial. Both are ""
	// if the number is not known.
	Number string `json:"number,omitzero"`
	Shown  string `json:"shown,omitzero"`
	// Text is what was sent where no number can be told.
	Text string `json:"text,omitzero"`
	// Withheld is set if the caller hid the number.
	Withheld bool `json:"withheld,omitzero"`
	// Known is set if a contact has the number. Name and Company are the contact's. If
	// there is none, Name is the one that came with the call.
	Known   bool   `json:"known,omitzero"`
	Name    string `json:"name,omitzero"`
	Company string `json:"company,omitzero"`
	// Blocked and DoNotDisturb are set if they are for a contact with the number.
	Blocked      bool `json:"blocked,omitzero"`
	DoNotDisturb bool `json:"dnd,omitzero"`
}

// party returns whoever a key of the table names.
func (l *Lookup) party(key string) Party {
	p := Party{Key: key}
	if key != "" && !followup.IsCallSubject(key) {
		p.Number, p.Shown = key, l.show(key)
	}
	return p
}

// sent returns the party with what its call says in place of a number, if it has none.
func (p Party) sent(stored ledger.Stored) Party {
	if followup.IsCallSubject(p.Key) {
		for _, c := range stored.Calls {
			p.Text, p.Withheld = cmp.Or(p.Text, alert.OneLine(c.Who.Text, maxName)), p.Withheld || c.Who.Withheld
		}
	}
	return p
}

// named returns the party with the name that came with a call, if there is no other.
func (p Party) named(name string) Party {
	p.Name = cmp.Or(p.Name, events.PersonName(alert.OneLine(name, maxName)))
	return p
}

// person returns the party with what the address book says.
func (p Party) person(person followup.Person) Party {
	if !person.Known {
		return p
	}
	p.Known, p.Blocked, p.DoNotDisturb = true, person.Blocked, person.DoNotDisturb
	if name := events.PersonName(alert.OneLine(person.Name, maxName)); name != "" {
		p.Name = name
	}
	p.Company = alert.OneLine(person.Company, maxName)
	return p
}

func (l *Lookup) show(number string) string {
	l.mu.Lock()
	shown, ok := l.shown[number]
	l.mu.Unlock()
	if ok {
		return shown
	}
	shown = alert.OneLine(l.numbers.Show(number), maxName)
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.shown) >= maxShown {
		clear(l.shown)
	}
	l.shown[number] = shown
	return shown
}

// Line is one of the account's own numbers.
type Line struct {
	// Number is "+" and digits, or, if it is none, the text as sent. Shown is the same
	// for people, and Name what it is called in JustCall.
	Number string `json:"number,omitzero"`
	Shown  string `json:"shown,omitzero"`
	Name   string `json:"name,omitzero"`
}

// Label returns what people call the line.
func (n Line) Label() string { return cmp.Or(n.Name, n.Shown) }

func (l *Lookup) line(number, name string) Line {
	line := Line{Number: alert.OneLine(cmp.Or(events.PhoneNumber(number), number), maxName), Name: alert.OneLine(name, maxName)}
	if line.Number != "" {
		line.Shown = l.show(line.Number)
	}
	return line
}

// Voicemail is what a caller left.
type Voicemail struct {
	// Seconds is how long it is; 0 if that is not known.
	Seconds int64 `json:"seconds,omitzero"`
	// Words are its transcription, as one line. URL is where to listen.
	Words string `json:"words,omitzero"`
	URL   string `json:"recording_url,omitzero"`
}

func voicemail(seconds int64, words, url string) Voicemail {
	return Voicemail{Seconds: max(0, seconds), Words: alert.OneLine(words, maxText), URL: alert.Link(url)}
}

// maxKey is longer than any key of a caller.
const maxKey = 1000

// canonical returns the key of whoever has a number as a person types it, or of a call
// whose number nobody knows. The error is [ErrNumber].
func (l *Lookup) canonical(text string) (string, error) {
	if followup.IsCallSubject(text) {
		id := strings.TrimPrefix(text, followup.CallSubject)
		if len(text) > maxKey { // the table has the id's hash
			text = followup.CallSubjectOf(table.CallPartition(id))
		}
		return text, checkID(id)
	}
	number := l.numbers.Canonical(text)
	if number == "" {
		return "", ErrNumber
	}
	return number, nil
}

// checkID makes sure that a text can be looked up at all.
func checkID(id string) error {
	if id == "" || !utf8.ValidString(id) {
		return ErrID
	}
	return nil
}

// read returns all items of a query.
func (l *Lookup) read(ctx context.Context, doing string, q table.Query) (items []table.Item, err error) {
	for item, err := range table.All(ctx, l.store, q) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", doing, err)
		}
		items = append(items, item)
	}
	return items, nil
}

// timeOf reads a time of an item, zero if it has none.
func timeOf(item table.Item, name string) time.Time {
	at, _ := events.ParseTime(table.Text(item, name))
	return at
}
