package scale

// Sizes that DynamoDB charges by, in bytes. See
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/capacity-mode.html.
const (
	writeUnit = 1 << 10
	readUnit  = 4 << 10
)

// WriteUnits returns the write units of one write: one for each KB begun, and
// one at the least. An index charges its own for its part of the item.
func WriteUnits(bytes int) int { return max(1, (bytes+writeUnit-1)/writeUnit) }

// ReadUnits returns the read units of one query that reads so many bytes: one
// for each 4 KB begun, and half of that where a stale answer is good enough, as
// an index's is.
func ReadUnits(bytes int, consistent bool) float64 {
	units := float64(max(1, (bytes+readUnit-1)/readUnit))
	if !consistent {
		units /= 2
	}
	return units
}
