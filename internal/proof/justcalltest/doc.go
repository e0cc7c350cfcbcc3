// Package justcalltest is a JustCall of our own: its REST API, served from a book of
// calls, texts, contacts, users, lines and webhooks, on any clock.
//
// It does what is known of the real one, the unpleasant things too: time filters in the
// account's zone, pages from 0, rows that move, limits that all users of a key share, a
// clock of its own, 403 for what it does not like. It compares each request, and each of
// its responses, with JustCall's own OpenAPI description.
package justcalltest
