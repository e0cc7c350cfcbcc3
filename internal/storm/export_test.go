package storm

// Shares returns how many of a hundred stories are which.
func Shares() map[string]int {
	shares := make(map[string]int, len(mix))
	for _, s := range mix {
		shares[s.name] = s.share
	}
	return shares
}
