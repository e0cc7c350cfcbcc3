package schema

// Table is the shape of a table.
type Table struct {
	Key     Key
	Indexes []Index

	// ExpiresAt names the attribute with the time to live; "" if there is none.
	ExpiresAt string
}

// Key names a partition and a sort key attribute. Both hold strings.
type Key struct {
	Partition, Sort string
}

// Index is a global secondary index.
type Index struct {
	Name string
	Key  Key

	// All says that the index holds whole items. Otherwise it holds the keys,
	// its own and the table's, and the attributes that Include names.
	All     bool
	Include []string
}
