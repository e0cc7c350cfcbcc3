// Code generated from template.yaml by "make generate"; DO NOT EDIT.

package schema

// Events returns the shape of the events table.
func Events() Table {
	return Table{
		Key: Key{Partition: "PK", Sort: "SK"},
		Indexes: []Index{
			{Name: "GSI1", Key: Key{Partition: "GSI1PK", Sort: "occurred_at"}, All: false, Include: []string{"kind", "outcome", "direction", "expires_at", "from", "to", "justcall_number", "justcall_line_name", "agent_name", "duration", "call_duration", "call_info", "sms_info", "body", "transcription", "recording_url", "contact_name", "name", "first_name", "last_name"}},
			{Name: "GSI2", Key: Key{Partition: "GSI2PK", Sort: "occurred_at"}, All: false, Include: []string{"outcome", "direction", "expires_at", "GSI1PK", "from", "to", "contact_number", "contact_name", "justcall_number", "justcall_line_name", "agent_name", "duration", "call_duration", "call_info", "transcription", "recording_url", "alerted_at", "returned_at", "reason", "end"}},
			{Name: "GSI3", Key: Key{Partition: "GSI3PK", Sort: "GSI3SK"}, All: false, Include: []string{"state", "since", "latest", "count", "attempts", "level", "claim", "claimed_until", "snoozed_until", "call", "outcome", "line", "line_name", "caller_name", "name", "company", "words", "recording_url", "other_number", "expires_at"}},
		},
		ExpiresAt: "expires_at",
	}
}
