package scale

// What the tests of the model need to see.
var (
	MoreThan       = moreThan
	RateOnceAnHour = rateOnceAnHour
	Places         = places
	Partitions     = partitions
	About          = about
	USD            = usd
	Up             = up
	Span           = span
)

// PartitionOf returns on which of n partitions a key is.
func PartitionOf(key string, n int) int { return spread(key).of(n) }

// LogCost returns what so many GB of logs cost in a month.
func LogCost(gigabytes float64) float64 { return logPrice.cost(gigabytes) }

// Alerting returns the alerts function at a rate; see [Model.alerting].
func (m *Model) Alerting(rate float64, shards int, lanes, window float64) Alerting {
	return m.alerting(rate, shards, lanes, window)
}
