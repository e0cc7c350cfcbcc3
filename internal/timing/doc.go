// Package timing is about the time that is left: pauses that end with their
// context, and deadlines that leave some of it.
package timing
