package inbox

import (
	"crypto/sha256"
	"encoding/hex"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/words"
)

// functions are what templates call.
func functions(w words.Words) template.FuncMap {
	return template.FuncMap{
		"alertText": words.Alert,
		"ago":       func(at time.Time) string { return words.Span(w.Now().Sub(at)) },
		"became":    w.Became,
		"buttons":   buttonsOf,
		"calls":     words.Calls,
		"clock":     w.Clock,
		"day":       func(at time.Time) string { return at.In(w.Zone).Format("Monday, 2 January 2006") },
		"done":      doneReasons,
		"exact":     func(at time.Time) string { return at.In(w.Zone).Format("2 January 2006, 15:04:05 MST") },
		"happened":  words.Happened,
		"hasPage":   hasPage,
		"iso":       func(at time.Time) string { return at.UTC().Format(time.RFC3339) },
		"lasted":    words.Lasted,
		"link":      link,
		"links":     links,
		"menu":      menu,
		"outcome":   words.Outcome,
		"paging":    paging,
		"rowID":     rowID,
		"sentence":  words.Sentence,
		"sign":      sign,
		"size":      words.Size,
		"snoozes":   func() []choice { return snoozes },
		"span":      words.Span,
		"story":     w.Story,
		"tel":       tel,
		"time":      func(at time.Time) string { return at.In(w.Zone).Format("15:04") },
		"title":     words.Title,
		"url":       address,
		"what":      what,
		"who":       words.Who,
	}
}

// tel returns the link that dials a number, "" if it is none. An extension or a short code is
// dialled without "+".
func tel(number string) template.URL {
	digits, ok := strings.CutPrefix(number, "+")
	if !ok || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	const longestShort = 6
	if len(digits) <= longestShort {
		number = digits
	}
	return template.URL("tel:" + number) //nolint:gosec // G203: "+" and digits
}

// sign is a word for the sign beside an unserved call.
func sign(o events.Outcome) string {
	switch o {
	case events.Voicemailed:
		return "voicemail"
	case events.Answered:
		return "answered"
	case events.Missed, events.Abandoned:
		return "missed"
	default:
		return "other"
	}
}

// what is a word for the sign beside an entry.
func what(e lookup.Entry) string {
	switch {
	case e.Kind == lookup.KindAct:
		return "act"
	case e.Kind == events.KindMessage:
		return "text"
	case e.Kind == events.KindContact:
		return "contact"
	case !e.Kind.IsCall():
		return "other"
	case e.Direction == events.Outbound:
		return "out"
	default:
		return sign(e.Outcome)
	}
}

// rowID returns an id for the parts of a row. It tells nothing of what the key is.
func rowID(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "r" + hex.EncodeToString(sum[:6])
}

// address returns a path with a query of names and values.
func address(path string, pairs ...string) string {
	query := make(url.Values)
	for pair := range slices.Chunk(pairs, 2) {
		if pair[1] != "" {
			query.Set(pair[0], pair[1])
		}
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// paging returns a list's address with where to go on.
func paging(list string, next lookup.Cursor) string {
	mark := "?"
	if strings.Contains(list, "?") {
		mark = "&"
	}
	return list + mark + url.Values{"after": {string(next)}}.Encode()
}

// entryOf is an entry of the menu.
type entryOf struct {
	Path, Text string
	Here       bool
}

func menu(section, name, path, text string) entryOf { return entryOf{path, text, section == name} }

// buttons are those about a caller who waits.
type buttons struct {
	Can             bool
	Key, Whom, Back string
	Claimed         bool
}

func buttonsOf(f frame, p lookup.Party, state lookup.FollowUp) buttons {
	return buttons{Can: f.ReadOnly == "", Key: p.Key, Whom: words.Who(p), Back: f.Path, Claimed: state.ClaimedBy != ""}
}

// hasPage reports whether a party has a page of its own.
func hasPage(p lookup.Party) bool { return p.Number != "" || followup.IsCallSubject(p.Key) }

// link returns the page about an entry, "" if there is none.
func link(e lookup.Entry) string {
	switch {
	case e.Kind == lookup.KindAct:
		return ""
	case e.ID == "":
		return address("/event", "pk", e.Key.PK, "sk", e.Key.SK)
	case e.Kind == events.KindMessage:
		return address("/text", "id", e.ID)
	case e.Kind == events.KindContact:
		return address("/contact", "id", e.ID)
	case e.Kind.IsCall():
		return address("/call", "id", e.ID)
	default:
		return address("/event", "pk", e.Key.PK, "sk", e.Key.SK)
	}
}

// links returns the page about what an event belongs to.
func links(key table.Key) []choice {
	for _, of := range []struct{ prefix, path, text string }{
		{table.CallPartition(""), "/call", "The whole call"},
		{table.MessagePartition(""), "/text", "The whole text"},
		{table.ContactPartition(""), "/contact", "The contact"},
	} {
		if id, ok := strings.CutPrefix(key.PK, of.prefix); ok {
			return []choice{{address(of.path, "id", id), of.text}}
		}
	}
	return nil
}
