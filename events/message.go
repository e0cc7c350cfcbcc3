package events

// Message is an event of a text, or of a WhatsApp message. Format B's names
// stand in brackets where they differ. See
// https://developer.justcall.io/docs/webhooks.
type Message struct {
	// ID is message_id [id].
	ID        string
	Direction Direction
	// From and To are the numbers as sent [contact_number and justcall_number,
	// put in order by the direction].
	From, To    string
	ContactName string
	// Body is the text [sms_info.body]. The sender may have put HTML entities
	// into it.
	Body string
	// MediaURLs are the attachments: media_url and media_urls.
	MediaURLs []string
	AgentID   Optional[int64]
	AgentName string
	// Status is how delivery stands [delivery_status].
	Status string
	// DeliveredAt is when the text was delivered, as sent: ISO 8601, UTC.
	DeliveredAt string
}

func decodeMessage(d *Delivery) {
	d.Kind = KindMessage
	in := d.read(messageShape)
	d.identify(EntityMessage, in.messageID, in.id)

	// The name of most types says the direction as well.
	direction := in.direction
	if direction == "" {
		switch d.Type {
		case TypeSMSReceived, TypeSMSOptIn, TypeSMSOptOut, TypeWhatsAppMessageReceived:
			direction = Inbound
		case TypeSMSSent, TypeSMSDelivered, TypeSMSFailed, TypeWhatsAppMessageSent:
			direction = Outbound
		default: // the others go either way
		}
	}
	d.Phone = PhoneNumber(in.outsideParty(direction))
	from, to := in.parties(direction)
	d.Event = &Message{
		ID:          d.ID,
		Direction:   direction,
		From:        from,
		To:          to,
		ContactName: in.contactName,
		Body:        in.body,
		MediaURLs:   in.mediaURLs,
		AgentID:     in.agentID,
		AgentName:   in.agentName,
		Status:      in.status,
		DeliveredAt: in.deliveredAt,
	}
}
