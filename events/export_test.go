package events

// Repair is repair.
func Repair(body []byte) (text []byte, found uint16) {
	text, odd := repair(body)
	return text, uint16(odd)
}
