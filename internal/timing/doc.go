// Package timing has pauses that end with their context, and deadlines with a
// margin.
package timing
