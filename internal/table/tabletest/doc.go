// Package tabletest holds the conformance suite that every implementation of
// [table.Store] passes, and what tests need to make tables for it.
package tabletest
