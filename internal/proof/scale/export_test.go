package scale

// What the tests of the model need to see.
var (
	MoreThan       = moreThan
	RateOnceAnHour = rateOnceAnHour
	Concurrent     = concurrent
	Partitions     = partitions
	About          = about
	USD            = usd
	Up             = up
	Span           = span
)

// LogCost returns what so many GB of logs cost in a month.
func LogCost(gigabytes float64) float64 { return logPrice.cost(gigabytes) }

// PartitionOf returns on which of n partitions a key is.
func PartitionOf(key string, n int) int { return partitionOf([]byte(key), n) }

// HourFactor returns how many times the mean of the day an hour's rate is.
func HourFactor(hour int) float64 { return hourFactor(hour) }

// Alerting returns the alerts function at a rate; see [Model.alerting].
func (m *Model) Alerting(rate float64, shards int, parallel, window float64) Alerting {
	return m.alerting(rate, shards, parallel, window)
}
