package justcall

import (
	"net/url"
	"slices"
	"strings"

	"github.com/ringback/ringback/events"
)

// Needed are the types without which ringback cannot say who still waits, each with what
// it is needed for.
var Needed = []struct {
	Type events.Type
	For  string
}{
	{events.TypeCallMissed, "alerts of missed calls"},
	{events.TypeCallVoicemail, "alerts of voicemails"},
	{events.TypeCallAnswered, "to take back what came too early"},
	{events.TypeCallCompleted, "how each call ended, and who called back"},
	{events.TypeSMSSent, "who was answered by text message"},
	{events.TypeSMSReceived, "text messages of callers"},
	{events.TypeContactStatusUpdated, "blocked contacts, who alert nobody"},
}

// SubscriptionState says whether JustCall posts the events of a type to a URL.
type SubscriptionState string

// The states, the best first.
const (
	Subscribed SubscriptionState = "subscribed"
	// Outdated means that the events come in an older form than a URL that is added now
	// would get.
	Outdated SubscriptionState = "outdated"
	// Unknown means a status that is not documented.
	Unknown     SubscriptionState = "unknown"
	Warned      SubscriptionState = "warned"
	Blacklisted SubscriptionState = "blacklisted"
	Missing     SubscriptionState = "missing"
)

// Subscription is what JustCall does for a URL with the events of a type.
type Subscription struct {
	Type  events.Type
	State SubscriptionState
	// Hooks are the webhooks of that type with this URL. More than one is one too many.
	Hooks []Webhook
	// Status is the status of the best of them, as JustCall has it.
	Status WebhookStatus
}

// Subscriptions returns what hooks do for a URL, for each of the types.
func Subscriptions(hooks []Webhook, address string, types []events.Type) []Subscription {
	all := make([]Subscription, len(types))
	for i, typ := range types {
		s := Subscription{Type: typ, State: Missing}
		for _, h := range hooks {
			if h.Type != typ && !covers(h.Type, typ) || !SameURL(h.URL, address) {
				continue
			}
			if h.Type == typ {
				s.Hooks = append(s.Hooks, h)
			}
			if state := stateOf(h); s.Status == "" || better(state, s.State) {
				s.State, s.Status = state, h.Status
			}
		}
		all[i] = s
	}
	return all
}

// covers reports whether a type's webhook gets the events of another type, too.
func covers(typ, other events.Type) bool {
	return typ == events.TypeSMSSentReceived && (other == events.TypeSMSSent || other == events.TypeSMSReceived)
}

var ranks = []SubscriptionState{Subscribed, Outdated, Unknown, Warned, Blacklisted, Missing}

func better(a, b SubscriptionState) bool { return slices.Index(ranks, a) < slices.Index(ranks, b) }

func stateOf(h Webhook) SubscriptionState {
	switch {
	case h.Status == WebhookBlacklisted:
		return Blacklisted
	case h.Status == WebhookWarning:
		return Warned
	case h.Status != WebhookActive:
		return Unknown
	case h.Version != "" && h.Latest != "" && h.Version != h.Latest:
		return Outdated
	}
	return Subscribed
}

// SameURL reports whether two URLs reach the same place, however each was typed.
func SameURL(a, b string) bool {
	a, aOK := plainURL(a)
	b, bOK := plainURL(b)
	return aOK && bOK && a == b
}

// plainURL leaves out what does not change where a URL leads: the letter case of scheme
// and host, the default port, slashes and blanks at the end, and, as we read none, the
// query.
func plainURL(text string) (plain string, ok bool) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Host == "" {
		return "", false
	}
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return u.Scheme + "://" + host + strings.TrimRight(u.Path, "/ "), true
}
