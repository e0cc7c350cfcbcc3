// Package scale computes docs/scale.md: what limits the stack at a number of
// events per second, and what it costs.
//
// What an event weighs is measured on the storm's events, with their real keys
// and items ([NewTraffic]); what the template says is read from it
// ([ReadSettings]). From both [Model] computes how writes fall on keys and
// partitions in the busiest hour of a day, which [Model.Play] plays event by
// event to see whether it is so; the rest is arithmetic on AWS's quotas and
// prices. Package cmd prints the tables, and a test keeps them and the document
// equal.
//
// Nothing here was measured on AWS.
package scale
