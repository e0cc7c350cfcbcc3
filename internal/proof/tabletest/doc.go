// Package tabletest holds the conformance suite that every implementation of
// [table.Store] passes, what tests need to make tables for
// it, and fakes for what only writes.
package tabletest
