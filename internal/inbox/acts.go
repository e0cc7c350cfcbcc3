package inbox

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/rerun"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/words"
)

const (
	// claimTime is how long a claim lasts.
	claimTime = 30 * time.Minute
	// settleTime is how long the next page waits for an act to be worked off.
	settleTime = time.Second
	// morning is when people are reminded again tomorrow.
	morning = 9

	maxForm = 64 << 10 // bytes
	maxName = 60       // characters
	maxWhy  = 200
)

// choice is one of some that a form offers.
type choice struct{ Value, Text string }

var snoozes = []choice{{"30m", "for 30 minutes"}, {"1h", "for an hour"}, {"3h", "for 3 hours"}, {"tomorrow", "until tomorrow, 9:00"}}

// doneReasons are the usual ones.
func doneReasons() []string {
	return []string{"Talked on another phone", "Wrong number", "No need to call back", "Spam"}
}

// form does what a form asks for, and goes back to the page where the form was, with what
// do says that it did.
func (in *Inbox) form(do func(r *http.Request) (said string, bad bool)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			refuse(w, http.StatusBadRequest, "The form did not arrive whole: go back and send it again.")
			return
		}
		text, bad := cmp.Or(in.config.ReadOnly, "Nothing can be changed here."), true
		if in.config.Acts != nil {
			text, bad = do(r)
		}
		back(w, r, in.leave(text, bad))
	}
}

// perform stores the act of a form, and says what it did.
func (in *Inbox) perform(r *http.Request) (said string, bad bool) {
	now := in.look.Now()
	act := followup.Act{ID: rand.Text(), At: now, Kind: followup.ActKind(r.PostFormValue("kind")), By: in.nameOf(r)}
	if act.By == "" {
		return "Say who you are first: write your name at the bottom of the page.", true
	}
	switch act.Kind {
	case followup.ActClaim:
		act.Until = now.Add(claimTime)
	case followup.ActUnclaim:
	case followup.ActDone:
		act.Why = alert.OneLine(cmp.Or(strings.TrimSpace(r.PostFormValue("note")), r.PostFormValue("why")), maxWhy)
		if act.Why == "" {
			return "Nothing was changed: say why nobody needs to call back.", true
		}
	case followup.ActSnooze:
		var err error
		if act.Until, err = in.until(r.PostFormValue("until"), now); err != nil {
			return "Nothing was changed: " + err.Error() + ".", true
		}
	default:
		return "Nothing was changed: the form asks for nothing that ringback can do.", true
	}
	caller := r.PostFormValue("caller")
	before, err := ledger.Perform(r.Context(), in.config.Acts, in.look.Policy, caller, act)
	switch {
	case errors.Is(err, ledger.ErrUnknown):
		return "Nothing was changed: nobody with that number has called.", true
	case errors.Is(err, table.ErrDenied):
		in.denyActs()
		return "Nothing was changed: your AWS credentials may not write the table.", true
	case err != nil:
		in.log.WarnContext(r.Context(), "act not stored", "error", err)
		return "Nothing was changed: " + err.Error() + ".", true
	}
	in.settle(r.Context())
	whom := "The caller"
	if party, _, err := in.look.Standing(r.Context(), caller); err == nil {
		whom = words.Who(party)
	}
	return in.words.Did(act, whom, before), false
}

// takeIn stores what is in a refused delivery, and says what that did.
func (in *Inbox) takeIn(r *http.Request) (said string, bad bool) {
	d, err := in.look.Rejection(r.Context(), r.PostFormValue("id"))
	var all []rerun.Released
	if err == nil {
		all, err = rerun.Release(r.Context(), in.config.Acts, d, true, in.look.Now())
	}
	switch {
	case errors.Is(err, lookup.ErrNotFound), errors.Is(err, lookup.ErrID):
		return "Nothing was changed: there is no such delivery any more.", true
	case errors.Is(err, table.ErrDenied):
		in.denyRelease()
		return "Nothing was changed: your AWS credentials may not store events.", true
	case err != nil:
		in.log.WarnContext(r.Context(), "delivery not released", "error", err)
		return "Not all of it was stored: " + err.Error() + ".", true
	}
	in.settle(r.Context())
	var lines []string
	for _, r := range all {
		lines = append(lines, words.Released(r))
	}
	return strings.Join(lines, ". ") + ".", !slices.ContainsFunc(all, func(r rerun.Released) bool { return r.Err == nil })
}

// until reads for how long reminders are put off.
func (in *Inbox) until(text string, now time.Time) (time.Time, error) {
	if text == "tomorrow" {
		year, month, day := now.In(in.look.Zone()).Date()
		return time.Date(year, month, day+1, morning, 0, 0, 0, in.look.Zone()), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > 30*24*time.Hour {
		return time.Time{}, errors.New("say for how long, such as 30m or 2h")
	}
	return now.Add(d), nil
}

// settle waits for an act to be worked off, so that the next page shows it.
func (in *Inbox) settle(ctx context.Context) {
	if in.config.Settled == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	_ = in.config.Settled(ctx) // else the page shows it a little later
}

// nameCookie holds who acts. It is no secret.
const nameCookie = "ringback_name"

// nameOf returns who sends a request.
func (in *Inbox) nameOf(r *http.Request) string {
	if cookie, err := r.Cookie(nameCookie); err == nil {
		if name, err := url.QueryUnescape(cookie.Value); err == nil {
			return cmp.Or(alert.OneLine(name, maxName), in.config.Name)
		}
	}
	return in.config.Name
}

// rename has the browser remember who acts.
func (in *Inbox) rename(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	const year = 365 * 24 * 60 * 60
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // G124: there is no TLS on a loopback address
		Name: nameCookie, Value: url.QueryEscape(alert.OneLine(r.PostFormValue("name"), maxName)), Path: "/",
		MaxAge: year, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
	back(w, r, "")
}

// back goes to the page where a form was, with a note.
func back(w http.ResponseWriter, r *http.Request, note string) {
	to, err := url.Parse(r.PostFormValue("back"))
	// "//elsewhere" and "/\elsewhere" are other sites.
	if err != nil || to.Scheme != "" || to.Host != "" || !strings.HasPrefix(to.Path, "/") || strings.ContainsAny(to.Path[1:min(2, len(to.Path))], `/\`) {
		to = &url.URL{Path: "/"}
	}
	query := to.Query()
	if note != "" {
		query.Set("note", note)
	}
	http.Redirect(w, r, (&url.URL{Path: to.Path, RawQuery: query.Encode()}).String(), http.StatusSeeOther)
}
