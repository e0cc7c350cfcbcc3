// Code generated from template.yaml by "make generate"; DO NOT EDIT.

package schema

// Events returns the shape of the events table.
func Events() Table {
	return Table{
		Key: Key{Partition: "PK", Sort: "SK"},
		Indexes: []Index{
			{Name: "GSI1", Key: Key{Partition: "GSI1PK", Sort: "GSI1SK"}, All: false, Include: []string{"event", "kind", "alert", "outcome", "occurred_at", "direction", "from", "to", "contact_number", "agent_id", "agent_name", "duration", "status", "first_name", "last_name", "name", "company", "contact_name"}},
			{Name: "GSI2", Key: Key{Partition: "GSI2PK", Sort: "GSI2SK"}, All: false, Include: []string{"event", "kind", "alert", "outcome", "occurred_at", "direction", "from", "to", "contact_number", "agent_id", "agent_name", "duration", "status", "first_name", "last_name", "company", "contact_name"}},
		},
		ExpiresAt: "expires_at",
	}
}
