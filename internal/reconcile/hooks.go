package reconcile

import (
	"context"
	"log/slog"
	"strings"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/justcall"
)

// lookAtHooks looks whether JustCall posts to us what it should, and says what it does
// not. Hooked reports whether any of the account's webhooks is ours.
func (r *run) lookAtHooks(ctx context.Context) (hooked bool, err error) {
	hooks, err := r.client.Webhooks(ctx)
	if err != nil || r.WebhookURL == "" {
		return false, err
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
		r.log.LogAttrs(ctx, slog.LevelWarn, "webhook not active",
			slog.String("type", string(s.Type)), slog.String("state", string(s.State)), slog.String("do", do))
	}
	return hooked, nil
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
