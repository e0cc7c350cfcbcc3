// Package report says what a benchmark found: as tables, as the document, as a
// plot, and whether the limits are kept.
package report
