// Package scale computes docs/scale.md and the cost in docs/operations.md: which
// limit the stack reaches at how many events per second, and what it costs.
//
// What an event weighs is measured on the storm's events, with their real keys
// and items ([NewTraffic]); what the template says is read from it
// ([ReadSettings]). [Model.Play] simulates a day, event by event, and counts
// what each key and partition takes in each second and hour; [Model.Limits] and
// [Model.Costs] are arithmetic on AWS's quotas and prices. Package cmd prints
// the tables, and a test keeps them and the documents equal.
//
// Nothing here was measured on AWS.
package scale
