package events

import "github.com/go-json-experiment/json/jsontext"

// Message is an event of a text or a WhatsApp message. Format B's names are in
// brackets where they differ. See
// https://developer.justcall.io/docs/webhooks.
type Message struct {
	// ID is message_id [id].
	ID        string
	Direction Direction
	// From and To are the numbers as sent [contact_number and justcall_number,
	// depending on the direction].
	From, To    string
	ContactName string
	// Body is the text [sms_info.body]; it may contain HTML entities.
	Body string
	// MediaURLs are the attachments: media_url, media_urls
	// [sms_info.mms[].media_url].
	MediaURLs []string
	AgentID   Optional[int64]
	AgentName string
	// Status is the state of the delivery [delivery_status].
	Status string
	// Medium is what sent the text, such as "One-To-One via App"; format B's.
	Medium string
	// DeliveredAt is when the text was delivered, as sent: ISO 8601, UTC.
	DeliveredAt string
}

func newMessage(r *reading) Event {
	_, id := r.id()
	from, to := r.parties()
	said := &r.said
	m := &Message{
		ID:          id,
		Direction:   r.direction,
		From:        from,
		To:          to,
		ContactName: said.name(slotContactName),
		Body:        said.text(slotInfoBody, slotBody),
		AgentID:     said.integer(slotAgentID),
		AgentName:   said.name(slotAgentName),
		Status:      said.text(slotStatus, slotDeliveryStatus),
		Medium:      said.text(slotMedium),
		DeliveredAt: said.text(slotDeliveredAt),
	}
	if url := said.text(slotMediaURL); url != "" {
		m.MediaURLs = []string{url}
	}
	m.MediaURLs = append(m.MediaURLs, said.texts(slotMediaURLs)...)
	if mms := said[slotInfoMMS]; mms.Kind() == '[' {
		eachElement(mms, func(attachment jsontext.Value) {
			if url := text(mediaURL(attachment)); url != "" {
				m.MediaURLs = append(m.MediaURLs, url)
			}
		})
	}
	return m
}
