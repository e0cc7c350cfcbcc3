package events

import "cmp"

// Contact is a change in the address book. Format B's names stand in brackets
// where they differ. See https://developer.justcall.io/docs/webhooks.
type Contact struct {
	// ID is contact_id [id].
	ID string
	// FirstName and LastName are format A's, Name is format B's.
	FirstName, LastName, Name string
	// Phone is the number as sent [contact_number].
	Phone   string
	Email   string
	Company string
	// Source is where the change was made, e.g. "api" or "ui".
	Source string
	// ChangedFields names what an update changed.
	ChangedFields []string
}

func decodeContact(d *Delivery) {
	d.Kind = KindContact
	in := d.read(contactShape)
	d.identify(EntityContact, in.contactID, in.id)
	phone := cmp.Or(in.phone, in.contactNumber)
	d.Phone = PhoneNumber(phone)
	d.Event = &Contact{
		ID:            d.ID,
		FirstName:     in.firstName,
		LastName:      in.lastName,
		Name:          in.name,
		Phone:         phone,
		Email:         in.email,
		Company:       in.company,
		Source:        in.source,
		ChangedFields: in.changedFields,
	}
}
