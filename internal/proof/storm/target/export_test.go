package target

import "github.com/aws/aws-sdk-go-v2/service/sqs/types"

// NewSubscription returns one that nothing is behind, for tests of what it makes
// of messages.
func NewSubscription() *Subscription { return newSubscription() }

// Take is exported for tests.
func (s *Subscription) Take(m *types.Message) { s.take(m) }
