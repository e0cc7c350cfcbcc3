// Package schema reads the keys and indexes of the events table from
// template.yaml, where they are written once for the deployed table, the
// embedded store and the tests.
package schema
