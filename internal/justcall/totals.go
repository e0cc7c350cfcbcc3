package justcall

import (
	"context"
	"fmt"
	"net/url"
	"time"
)

// Totals are an account's own numbers of calls in a period. They count what the lists
// have, and are counted apart from them.
type Totals struct {
	Calls, Outgoing    int
	Incoming, Answered int // Answered are those among Incoming
	Missed             int
	// Abandoned are those among Missed that ended before a phone rang.
	Abandoned  int
	Voicemails int
}

// Totals returns the numbers from the first day to the last, both included, each as the
// account's clock has it.
func (c *Client) Totals(ctx context.Context, first, last time.Time) (Totals, error) {
	op := get("read the account's totals", "/v2.1/calls/analytics/account")
	response, err := c.call(ctx, op, url.Values{
		"from_date": {first.Format(time.DateOnly)},
		"to_date":   {last.Format(time.DateOnly)},
	}, nil)
	if err != nil {
		return Totals{}, err
	}
	summary := newRow(response).object("summary")
	if _, ok := summary["total_calls"]; !ok {
		return Totals{}, fmt.Errorf("JustCall: %s: %w", op.name, ErrResponse)
	}
	number := func(name string) int { return int(summary.number(name)) }
	return Totals{
		Calls: number("total_calls"), Outgoing: number("outgoing_calls"),
		Incoming: number("incoming_calls"), Answered: number("incoming_answered_calls"),
		Missed: number("incoming_missed_calls"), Abandoned: number("missed_abandoned_before_ringing"),
		Voicemails: number("voicemails_received"),
	}, nil
}
