package reconcile

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/justcall"
	"github.com/ringback/ringback/internal/table"
)

// Hooks is what the last run saw of the account's webhooks.
type Hooks struct {
	// Unposted are the types of events that JustCall does not post as it should.
	Unposted []alert.Unposted `json:"unposted,omitzero"`
	// Since is when a run first saw just that, and Looked when one last looked.
	Since  time.Time `json:"since"`
	Looked time.Time `json:"looked"`
	// Told are the types in the states that people were told of, and when. Each is kept
	// for a day at least, and for as long as it lasts.
	Told map[string]time.Time `json:"told,omitzero"`
}

// toldTime is how long nobody is told again of a webhook that is well now and then.
const toldTime = day

// told returns under what name a type in a state is kept that people were told of.
func told(u alert.Unposted) string { return string(u.Type) + " " + u.State }

// LastHooks returns what the last run saw of the account's webhooks; zero if none looked yet.
func LastHooks(ctx context.Context, store table.Store) (h Hooks, err error) {
	_, err = load(ctx, store, hooksItem, &h)
	return h, err
}

// lookAtHooks looks whether JustCall posts to us what it should, and says what it does
// not. Hooked reports whether any of the account's webhooks is ours.
func (r *run) lookAtHooks(ctx context.Context) (hooked bool, unposted []alert.Unposted, err error) {
	hooks, err := r.client.Webhooks(ctx)
	if err != nil || r.WebhookURL == "" {
		return false, nil, err
	}
	for i, h := range hooks {
		// The token is none of our business.
		address, _, _ := strings.Cut(strings.TrimSpace(h.URL), "?")
		address = strings.TrimRight(address, "/")
		hooks[i].URL = address[:max(strings.LastIndexByte(address, '/'), 0)]
		hooked = hooked || justcall.SameURL(hooks[i].URL, r.WebhookURL)
	}
	var types []events.Type
	for _, needed := range justcall.Needed {
		types = append(types, needed.Type)
	}
	for _, s := range justcall.Subscriptions(hooks, r.WebhookURL, types) {
		do := adviceOn(s.State)
		if do == "" {
			continue
		}
		// guard 12 reconcile (AWebhookThatIsNot):
		r.Inactive++
		unposted = append(unposted, alert.Unposted{Type: s.Type, State: string(s.State), Do: do})
		r.log.LogAttrs(ctx, slog.LevelWarn, "webhook not active",
			slog.String("type", string(s.Type)), slog.String("state", string(s.State)), slog.String("do", do))
	}
	return hooked, unposted, nil
}

// tellOfHooks keeps what was seen of the webhooks, and tells people if it is new to them.
// Whom that does not reach is told by the next run, with the same ID.
func (r *run) tellOfHooks(ctx context.Context, unposted []alert.Unposted) error {
	var kept Hooks
	version, err := loadAnew(ctx, r.store, hooksItem, &kept)
	if err != nil {
		return err
	}
	kept.Looked = r.Now().UTC().Truncate(time.Second)
	maps.DeleteFunc(kept.Told, func(name string, at time.Time) bool {
		lasts := slices.ContainsFunc(kept.Unposted, func(u alert.Unposted) bool { return told(u) == name })
		return !lasts && kept.Looked.Sub(at) > toldTime
	})
	if !slices.EqualFunc(kept.Unposted, unposted, func(a, b alert.Unposted) bool { return told(a) == told(b) }) {
		kept.Since = kept.Looked
	}
	kept.Unposted = unposted
	if err := save(ctx, r.store, hooksItem, kept, version); err != nil {
		if errors.Is(err, errBeside) { // another run tells
			return nil
		}
		return err
	}
	isNew := func(u alert.Unposted) bool { return kept.Told[told(u)].IsZero() }
	if r.People == nil || !slices.ContainsFunc(unposted, isNew) {
		return nil
	}
	m := alert.OfUnposted("WEBHOOK#"+table.Time(kept.Since), table.ReconcileKey(hooksItem), unposted)
	if err := errors.Join(r.People.Publish(ctx, []alert.Message{m})...); err != nil {
		r.log.LogAttrs(ctx, slog.LevelWarn, "people not told of the webhooks", slog.String("error", err.Error()))
		return nil
	}
	if kept.Told == nil {
		kept.Told = make(map[string]time.Time)
	}
	for _, u := range unposted {
		kept.Told[told(u)] = kept.Looked
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), notingTime) // even if the run ends now
	defer cancel()
	if err := save(ctx, r.store, hooksItem, kept, version+1); !errors.Is(err, errBeside) {
		return err
	}
	return nil
}

// adviceOn says what to do about a webhook; "" for nothing.
func adviceOn(state justcall.SubscriptionState) string {
	switch state {
	case justcall.Missing:
		return "run \"ringback connect\", which adds it"
	case justcall.Blacklisted:
		return "JustCall has stopped posting: run \"ringback connect\", which removes the webhook and adds it again"
	case justcall.Warned:
		return "JustCall has trouble posting and may stop: look at the other alarms; then remove the webhook in JustCall and run \"ringback connect\""
	case justcall.Outdated:
		return "its events come in an older form: remove the webhook in JustCall and run \"ringback connect\""
	case justcall.Unknown:
		return "ringback does not know its status: look at it in JustCall, under APIs and Webhooks"
	case justcall.Subscribed:
	}
	return ""
}
