package scale

// AWS's quotas and limits. docs/scale.md tells where each one stands.
const (
	apiRate         = 10_000 // requests per second
	executions      = 1_000  // concurrent ones, of all functions of an account
	executionsNew   = 10     // of a new account
	environmentRate = 10     // requests per second of one execution environment
	partitionWrites = 1_000  // units per second
	partitionReads  = 3_000
	tableQuota      = 40_000 // units per second of a table or an index, reads and writes each
	newTableWrites  = 4_000
	newTableReads   = 12_000
	publishMost     = 30_000 // messages per second: us-east-1
	publishLeast    = 300    // the regions with the least
	mailRate        = 10     // messages per second to one address
	textSpend       = 1.00   // USD a month, of a new account
	textPrice       = 0.01   // USD for a message, fees of the carrier included: about that of the United States
	shardPolls      = 4      // per second
	itemOverhead    = 100    // bytes stored with each item and index entry
)

// Prices of us-east-1, in USD, as docs/operations.md has them.
const (
	million       = 1e6
	gigabyte      = 1 << 30
	lambdaRequest = 0.20 / million
	lambdaSecond  = 0.0000133334 // per GB-second, arm64
	writeRequest  = 0.625 / million
	readRequest   = 0.125 / million
	snsPublish    = 0.50 / million
	snsMail       = 2.00 / 100_000
	storedMonth   = 0.25 + 0.20 // per GB, with backups
)

var (
	apiPrice = tiers{{300 * million, 1.00 / million}, {0, 0.90 / million}}
	logPrice = tiers{{10 << 10, 0.50}, {20 << 10, 0.25}, {20 << 10, 0.10}, {0, 0.05}} // by GB
)

// tiers are prices that fall with the amount: each for so many units, the last
// one for all that are left.
type tiers []struct{ upTo, price float64 }

func (t tiers) cost(amount float64) (usd float64) {
	for i, tier := range t {
		part := amount
		if i < len(t)-1 {
			part = min(part, tier.upTo)
		}
		usd += part * tier.price
		amount -= part
	}
	return usd
}

// WriteUnits returns the write units of one write: one for each KB begun. An
// index charges its own for its part of the item. See
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/capacity-mode.html.
func WriteUnits(bytes int) int {
	const unit = 1 << 10
	return max(1, (bytes+unit-1)/unit)
}

// ReadUnits returns the read units of one query that reads so many bytes: one
// for each 4 KB begun, and half of that where a stale answer is good enough, as
// an index's is.
func ReadUnits(bytes int, consistent bool) float64 {
	const unit = 4 << 10
	units := float64(max(1, (bytes+unit-1)/unit))
	if !consistent {
		units /= 2
	}
	return units
}
