package scale

// What the tests of the model need to see.
var (
	MoreThan   = moreThan
	Concurrent = concurrent
	Partitions = partitions
	About      = about
	USD        = usd
	Up         = up
	Span       = span
	HourFactor = hourFactor
	LogCost    = logPrice.cost
	Partition  = partitionOf
)
