package bolt

// Tuple is exported for tests of the file format.
var Tuple = tuple

// InSortRange reports whether the tuple of parts is in a sort range.
func InSortRange(partition, prefix, from, to string, parts ...string) bool {
	return sortRange(partition, prefix, from, to).contains(tuple(parts...))
}
