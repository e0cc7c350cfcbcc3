package scale

// tiers are prices in USD that fall with the amount. Each holds for upTo units, the
// last one for all the rest.
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

// Prices in us-east-1, as in docs/operations.md.
var (
	apiPrice = tiers{{300e6, 1.00e-6}, {0, 0.90e-6}}                                  // a request
	logPrice = tiers{{10 << 10, 0.50}, {20 << 10, 0.25}, {20 << 10, 0.10}, {0, 0.05}} // a GB
)

const (
	writeRequest = 0.625e-6
	mailPrice    = 2.00 / 100_000
)

// Cost is the price of a service for a month of equal days, and what it charges for
// an event.
type Cost struct {
	Name, Of string
	USD      float64
}

// Costs returns the costs of a month at a mean rate. They leave out the fixed cost,
// e-mails and other subscribers.
func (m *Model) Costs(mean float64) []Cost {
	count, s := mean*month, m.At(mean)
	// As if all hours were equal: their batches differ little.
	a := m.Alerting(mean, s["TablePartitions"], m.Parallel, 0)
	calls, tens, publishes := 1+a["Invocations"]/mean, a["Tens"]/mean, a["Publishes"]/mean
	memory := (webhookTime + tens*lookUpTime + publishes*(batchTime-lookUpTime)) * m.Memory // GB-seconds
	table, reads := s["TableWrites"]/s["Peak"], s["TableReads"]/s["Peak"]
	// In bytes. The lines of the API and of Lambda are assumed; ours, 240, was measured.
	logs := 300 + 240*(1+m.Missed) + 600*calls
	// DynamoDB charges 100 bytes more for each item and index entry.
	stored := m.Bytes + m.IndexBytes + m.Alerts*m.MarkBytes + 100*(1+m.Entries+m.Missed+m.Answered+3*m.Alerts)
	const gigabyte = 1 << 30
	return []Cost{
		{"API Gateway", "1 request", apiPrice.cost(count)},
		{"Lambda", about(calls) + " requests, " + about(1000*memory) + " GB-ms", count * (calls*0.20e-6 + memory*0.0000133334)}, // arm64
		{"DynamoDB, table and marks", about(table) + " write units", count * table * writeRequest},
		{"DynamoDB, GSI1", about(m.Phones) + " write units", count * m.Phones * writeRequest},
		{"DynamoDB, GSI2", about(m.Calls+m.Answered) + " write units", count * (m.Calls + m.Answered) * writeRequest},
		{"DynamoDB, reads of the alerts", about(reads) + " read units", count * reads * 0.125e-6},
		{"DynamoDB, kept a month, with backup", about(stored) + " bytes", count * stored / gigabyte * (0.25 + 0.20)},
		{"SNS, published", about(publishes) + " requests", count * publishes * 0.50e-6},
		{"CloudWatch Logs", about(logs) + " bytes", logPrice.cost(count * logs / gigabyte)},
	}
}

// Total returns the cost of a month at a mean rate, in USD.
func (m *Model) Total(mean float64) (usd float64) {
	for _, c := range m.Costs(mean) {
		usd += c.USD
	}
	return usd
}
