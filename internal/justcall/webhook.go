package justcall

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/ringback/ringback/events"
)

// Webhook is one URL that JustCall posts the events of one type to. A type may have
// several.
type Webhook struct {
	Type events.Type
	URL  string
	// ID is the URL's, for [Client.RemoveWebhook].
	ID     string
	Status WebhookStatus
	// Version is the form of the events that this URL gets. It is fixed when the URL is
	// added; Latest is what a new one would get. Either is "" if JustCall does not say.
	Version, Latest string
}

// WebhookStatus says whether JustCall posts to a URL.
type WebhookStatus string

// The documented statuses. What leads to the last two is not documented, and nobody is
// told of it. There is no call to activate a URL again.
const (
	WebhookActive      WebhookStatus = "active"
	WebhookWarning     WebhookStatus = "warning"
	WebhookBlacklisted WebhookStatus = "blacklisted"
)

// Webhooks lists the webhooks of all types.
func (c *Client) Webhooks(ctx context.Context) ([]Webhook, error) {
	op := get("list webhooks", "/v2.1/webhooks")
	response, err := c.call(ctx, op, nil, nil) // the list has no pages
	if err != nil {
		return nil, err
	}
	envelope := newRow(response)
	if envelope["data"].Kind() != '[' {
		return nil, fmt.Errorf("JustCall: %s: %w", op.name, ErrResponse)
	}
	var all []Webhook
	for _, value := range envelope.elements("data") {
		all = append(all, webhooks(newRow(value))...)
	}
	return all, nil
}

// webhooks reads a type's object.
func webhooks(r row) (all []Webhook) {
	for _, value := range r.elements("webhook_urls") {
		w := newRow(value)
		all = append(all, Webhook{
			Type:    events.Type(r.text("type")),
			URL:     w.text("webhook_url"),
			ID:      w.text("url_id"),
			Status:  WebhookStatus(strings.ToLower(strings.TrimSpace(w.text("status")))),
			Version: w.text("api_version"),
			Latest:  r.text("latest_api_version"),
		})
	}
	return all
}

// AddWebhook has JustCall post the events of a type to a URL. What a second, equal call
// does is not documented: look at [Client.Webhooks] first, and again after an error,
// because the call may have succeeded.
func (c *Client) AddWebhook(ctx context.Context, typ events.Type, address string) error {
	_, err := c.call(ctx, operation{"add a webhook for " + string(typ), http.MethodPost, "/v2.1/webhooks"}, nil,
		map[string]string{"type": string(typ), "webhook_url": address})
	return err
}

// RemoveWebhook ends posting to the URL with that ID.
func (c *Client) RemoveWebhook(ctx context.Context, id string) error {
	_, err := c.call(ctx, operation{"remove a webhook", http.MethodDelete, "/v2.1/webhooks/url/" + url.PathEscape(id)}, nil, nil)
	return err
}

// WebhookTypes are the types that JustCall has webhooks for.
var WebhookTypes = []events.Type{
	events.TypeCallCompleted, events.TypeCallAnswered, events.TypeCallInitiated, events.TypeCallIncoming, events.TypeCallUpdated,
	events.TypeCallEntersQueue, events.TypeCallExitsQueue, events.TypeCallAIGenerated, events.TypeCallVoicemail, events.TypeCallMissed,
	events.TypeCallAIVoiceAgent, events.TypeSMSSentReceived, events.TypeSMSSent, events.TypeSMSReceived, events.TypeSMSStatusUpdated,
	events.TypeSalesDialerCallCompleted, events.TypeSalesDialerCallUpdated, events.TypeSalesDialerCallAIGenerated,
	events.TypeWhatsAppMessageSent, events.TypeWhatsAppMessageReceived, events.TypeWhatsAppMessageStatusUpdated,
	events.TypeContactStatusUpdated, events.TypeAppointmentScheduled,
}
