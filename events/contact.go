package events

// Contact is a change in the address book. Format B's names are in brackets where
// they differ. See https://developer.justcall.io/docs/webhooks.
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
	// ChangedFields names the members that an update changed.
	ChangedFields []string
}

func newContact(r *reading) Event {
	_, id := r.id()
	said := &r.said
	phone, _ := said.party(slotPhone, slotContactNumber)
	return &Contact{
		ID:            id,
		FirstName:     said.text(slotFirstName),
		LastName:      said.text(slotLastName),
		Name:          said.text(slotName),
		Phone:         phone,
		Email:         said.text(slotEmail),
		Company:       said.text(slotCompany),
		Source:        said.text(slotSource),
		ChangedFields: said.texts(slotChangedFields),
	}
}
