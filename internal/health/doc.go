// Package health keeps when events last arrived, so that who reads a list knows as of
// when it holds: a list that is empty because nothing arrives any more looks like one of a
// quiet day.
//
// The [Watch] is a consumer of new events, and writes one item, [table.Health], at most
// once a minute for each of its times. Whoever shows who waits reads it with
// [table.LoadHealth], and asks [Blind].
package health
