package alert

// OneLine returns a text that somebody else chose as one line for people, of at most limit
// characters: without escapes, control characters, and what nobody sees or what reverses
// a line's direction.
func OneLine(text string, limit int) string { return line(text, limit) }

// Visible returns a text as one line without control characters, and without what nobody sees or
// what reverses a line's direction. It undoes no escapes: a text that [OneLine] returned
// stays as it is.
func Visible(text string) string { return visible(text) }

// Link returns an address if it is one of the web that may be shown as a link, else "".
func Link(address string) string { return link(address) }
