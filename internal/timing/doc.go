// Package timing has pauses that end with their context, deadlines with a margin, and
// work side by side.
package timing
