package scale

import "fmt"

// AWS's quotas as a new account has them, and limits that nobody can have
// raised; Figures says where they stand.
const (
	apiRate, apiBurst = 10_000, 5_000 // requests per second
	apiRateSmall      = 2_500
	lambdaPlaces      = 1_000 // concurrent executions of all functions
	lambdaPlacesNew   = 10    // of a new account
	placeRate         = 10    // requests per second of one execution environment
	placesRamp        = 1_000 // environments that a function gets in rampSeconds
	rampSeconds       = 10
	partitionWrites   = 1_000 // units per second
	partitionReads    = 3_000
	tableQuota        = 40_000 // units per second of a table or an index, reads and writes each
	newTableWrites    = 4_000
	newTableReads     = 12_000
	lanesAtMost       = 10
	publishMost       = 30_000 // messages per second: us-east-1
	publishSome       = 9_000  // us-west-2, eu-west-1
	publishLeast      = 300    // the regions with the least
	mailRate          = 10     // messages per second to one address
	textRate          = 20
	secretRate        = 10_000
	drainsAtMost      = 1_000
	shardPolls        = 4 // per second
	historyLength     = 100
	shardReaders      = 2
	itemOverhead      = 100 // bytes stored with each item and index entry
	minutesToDouble   = 30
)

// Prices of us-east-1, in USD.
const (
	million          = 1e6
	gigabyte         = 1 << 30
	lambdaRequest    = 0.20 / million
	lambdaSecond     = 0.0000133334 // per GB-second, arm64
	writeRequest     = 0.625 / million
	readRequest      = 0.125 / million
	snsPublish       = 0.50 / million
	snsMail          = 2.00 / 100_000
	secretRequest    = 0.05 / 10_000
	storedMonth      = 0.25 + 0.20 // per GB, with backups
	provisionedWrite = 0.00065     // per unit and hour
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

// Seen says how it is known what AWS says.
type Seen string

// How a figure was seen. The copies of pages were read on 23 November 2026.
const (
	SeenRead     Seen = "read"     // on AWS's own page, in a copy
	SeenRepeated Seen = "repeated" // as others repeat it; the page itself not seen
	SeenNot      Seen = "memory"   // from memory, to be checked
)

// Figure is a quota, a limit or a price that AWS sets.
type Figure struct {
	Name, Value, Source string
	Seen                Seen
}

// Figures lists what the tables are computed with, but for the prices that
// stand in docs/operations.md already.
func Figures() []Figure {
	const (
		aws    = "https://docs.aws.amazon.com/"
		dynamo = aws + "amazondynamodb/latest/developerguide/"
		lambda = aws + "lambda/latest/dg/"
	)
	return []Figure{
		{
			"API Gateway, all APIs of an account in a region",
			fmt.Sprintf("%s requests/s, burst %s; in newer regions %s and 1 250", number(apiRate), number(apiBurst), number(apiRateSmall)),
			aws + "apigateway/latest/developerguide/limits.html", SeenRead,
		},
		{"Lambda, concurrent executions", number(lambdaPlaces) + ", of a new account fewer", lambda + "gettingstarted-limits.html", SeenRead},
		{
			"… of a new account; requests of one environment", fmt.Sprintf("%d; %d/s", lambdaPlacesNew, placeRate),
			lambda + "gettingstarted-limits.html", SeenRepeated,
		},
		{
			"… more environments for one function", fmt.Sprintf("%s in %d s", number(placesRamp), rampSeconds),
			lambda + "scaling-behavior.html", SeenRead,
		},
		{"… polls of a stream's shard", fmt.Sprintf("%d/s", shardPolls), lambda + "with-ddb.html", SeenRead},
		{
			"… `ParallelizationFactor`; `MaximumConcurrency` of a queue", fmt.Sprintf("1 to %d; from memory, 2 to %s", lanesAtMost, number(drainsAtMost)),
			aws + "lambda/latest/api/API_CreateEventSourceMapping.html", SeenRepeated,
		},
		{
			"DynamoDB, one partition", fmt.Sprintf("%s write and %s read units/s", number(partitionWrites), number(partitionReads)),
			dynamo + "bp-partition-key-design.html", SeenRead,
		},
		{
			"… one key", "split between its sort keys, unless those only grow",
			"https://aws.amazon.com/blogs/database/part-3-scaling-dynamodb-how-partitions-hot-keys-and-split-for-heat-impact-performance/", SeenRepeated,
		},
		{
			"… a table on demand, and by others' word an index",
			fmt.Sprintf("new %s writes and %s reads/s, later twice its peak; above that it may throttle within %d min",
				number(newTableWrites), number(newTableReads), minutesToDouble),
			dynamo + "pre-warming-on-demand-capacity-mode.html", SeenRead,
		},
		{
			"… any such table; taken to hold for an index, too",
			fmt.Sprintf("%s write and %s read units/s", number(tableQuota), number(tableQuota)),
			dynamo + "on-demand-capacity-mode-max-throughput.html", SeenRead,
		},
		{"… an index that cannot follow", "throttles the table's writes", dynamo + "gsi-throttling.html", SeenRead},
		{"… a conditional write that fails", "costs as if it wrote", dynamo + "WorkingWithItems.html", SeenRead},
		{"… readers of a stream's shard", fmt.Sprintf("%d", shardReaders), dynamo + "Streams.html", SeenRead},
		{
			"SNS, e-mails to one address", fmt.Sprintf("%d/s; above that SNS deactivates the subscription", mailRate),
			"https://repost.aws/knowledge-center/sns-email-subscription-disabled", SeenRead,
		},
		{
			"… text messages; messages published", fmt.Sprintf("%d/s; %s/s in us-east-1, %s in us-west-2 and eu-west-1, down to %d",
				textRate, number(publishMost), number(publishSome), publishLeast),
			aws + "general/latest/gr/sns.html", SeenRepeated,
		},
		{
			"… one `PublishBatch`", "10 messages and 256 KB; up to ten times cheaper than one by one; the quota counts messages",
			aws + "sns/latest/dg/sns-batch-api-actions.html", SeenRead,
		},
		{
			"Secrets Manager, `GetSecretValue`", fmt.Sprintf("%s/s", number(secretRate)),
			"https://aws.amazon.com/about-aws/whats-new/2025/03/aws-secrets-manager-increases-api-requests-seconds", SeenRead,
		},
		{"API Gateway, over 300 million requests", "0.90 USD per million", "https://aws.amazon.com/api-gateway/pricing/", SeenRepeated},
		{
			"Lambda's and API Gateway's logs, by GB of a month",
			"0.50 USD, over 10 TB 0.25, over 30 TB 0.10, over 50 TB 0.05", "https://aws.amazon.com/cloudwatch/pricing/", SeenRepeated,
		},
		{"DynamoDB, a provisioned write unit", fmt.Sprintf("%g USD an hour", provisionedWrite), "https://aws.amazon.com/dynamodb/pricing/provisioned/", SeenNot},
	}
}
