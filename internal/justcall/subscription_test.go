package justcall_test

import (
	"testing"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/justcall"
)

const ours = "https://hooks.example.com/justcall/0123456789abcdef"

func TestSubscriptionsSayTheBestOfTheURLsWebhooks(t *testing.T) {
	t.Parallel()
	const missed, received, both = events.TypeCallMissed, events.TypeSMSReceived, events.TypeSMSSentReceived
	hook := func(typ events.Type, address string, status justcall.WebhookStatus) justcall.Webhook {
		return justcall.Webhook{Type: typ, URL: address, Status: status, Version: "2.1", Latest: "2.1"}
	}
	old := hook(missed, ours, justcall.WebhookActive)
	old.Version = "2.0"
	for _, test := range []struct {
		name  string
		typ   events.Type
		hooks []justcall.Webhook
		want  justcall.SubscriptionState
		count int
	}{
		{"none", missed, nil, justcall.Missing, 0},
		{"another's", missed, []justcall.Webhook{hook(missed, "https://crm.example.com/", justcall.WebhookActive)}, justcall.Missing, 0},
		{"another token", missed, []justcall.Webhook{hook(missed, ours+"0", justcall.WebhookActive)}, justcall.Missing, 0},
		{"another type", missed, []justcall.Webhook{hook(received, ours, justcall.WebhookActive)}, justcall.Missing, 0},
		{"active", missed, []justcall.Webhook{hook(missed, ours, justcall.WebhookActive)}, justcall.Subscribed, 1},
		{"spelled otherwise", missed, []justcall.Webhook{hook(missed, "HTTPS://Hooks.Example.com:443/justcall/0123456789abcdef/?a=1#b ", justcall.WebhookActive)}, justcall.Subscribed, 1},
		{"warned", missed, []justcall.Webhook{hook(missed, ours, justcall.WebhookWarning)}, justcall.Warned, 1},
		{"blacklisted", missed, []justcall.Webhook{hook(missed, ours, justcall.WebhookBlacklisted)}, justcall.Blacklisted, 1},
		{"blacklisted, and added again", missed, []justcall.Webhook{hook(missed, ours, justcall.WebhookBlacklisted), hook(missed, ours, justcall.WebhookActive)}, justcall.Subscribed, 2},
		{"an older form", missed, []justcall.Webhook{old}, justcall.Outdated, 1},
		{"a status that nobody knows", missed, []justcall.Webhook{hook(missed, ours, "resting")}, justcall.Unknown, 1},
		{"a type with both", received, []justcall.Webhook{hook(both, ours, justcall.WebhookActive)}, justcall.Subscribed, 0},
		{"a type with both that is blacklisted", received, []justcall.Webhook{hook(both, ours, justcall.WebhookBlacklisted)}, justcall.Blacklisted, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := justcall.Subscriptions(test.hooks, ours, []events.Type{test.typ})[0]
			if got.State != test.want || len(got.Hooks) != test.count {
				t.Errorf("%s with %d webhooks, want %s with %d", got.State, len(got.Hooks), test.want, test.count)
			}
		})
	}
}
