package events

// Repair is repair.
func Repair(body []byte) (text []byte, found uint32) {
	text, odd := repair(body)
	return text, uint32(odd)
}
