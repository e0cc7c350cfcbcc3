package justcalltest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Call is a call as people know it.
type Call struct {
	// SID is made up if it is empty.
	SID           string
	Contact, Line string // digits, with or without a plus
	LineName      string
	Direction     string // "Incoming" if it is empty
	Type          string // such as "Missed" or "answered"
	Start         time.Time
	// Length is from the first ring to the end. Until then the row is In Progress.
	Length time.Duration
}

// endsAt is a member of a call's row that is not shown.
const endsAt = "(ends at)"

// AddCall puts a call into the book, as the newest, and returns its id.
func (s *Server) AddCall(c Call) (id int64) {
	id = s.nextID()
	if c.SID == "" {
		c.SID = fmt.Sprintf("CA%032x", id)
	}
	if c.Direction == "" {
		c.Direction = "Incoming"
	}
	utc, local := c.Start.UTC(), c.Start.In(s.Zone)
	seconds := int(c.Length / time.Second)
	s.Calls = append(s.Calls, Row{
		"id": id, "call_sid": c.SID,
		"contact_number": digits(c.Contact), "contact_name": "", "contact_email": "",
		"justcall_number": digits(c.Line), "justcall_line_name": c.LineName,
		"agent_id": OwnerID, "agent_name": "", "agent_email": "", "agent_active": "true",
		"call_date": utc.Format(time.DateOnly), "call_time": utc.Format(time.TimeOnly),
		"call_user_date": local.Format(time.DateOnly), "call_user_time": local.Format(time.TimeOnly),
		"cost_incurred": 0,
		"call_info":     Row{"direction": c.Direction, "type": c.Type, "missed_call_reason": "", "status": "Unarchived", "disposition": "", "notes": "", "rating": "", "recording": ""},
		"call_duration": Row{"total_duration": seconds, "friendly_duration": c.Length.String(), "ring_time": 0},
		endsAt:          c.Start.Add(c.Length),
	})
	return id
}

// Text is a text message as people know it.
type Text struct {
	Contact, Line string
	Direction     string // "Incoming" if it is empty
	Body          string
	At            time.Time
}

// AddText puts a text message into the book, as the newest, and returns its id.
func (s *Server) AddText(t Text) (id int64) {
	id = s.nextID()
	if t.Direction == "" {
		t.Direction = "Incoming"
	}
	utc, local := t.At.UTC(), t.At.In(s.Zone)
	s.Texts = append(s.Texts, Row{
		"id": id, "contact_number": digits(t.Contact), "contact_name": "", "contact_email": "",
		"justcall_number": digits(t.Line), "justcall_line_name": "", "agent_id": OwnerID, "agent_name": "", "agent_email": "",
		"sms_date": utc.Format(time.DateOnly), "sms_time": utc.Format(time.TimeOnly),
		"sms_user_date": local.Format(time.DateOnly), "sms_user_time": local.Format(time.TimeOnly),
		"direction": t.Direction, "cost_incurred": 0, "sms_info": Row{"body": t.Body, "is_mms": "No", "mms": []Row{}},
		"delivery_status": "delivered", "is_deleted": false, "medium": "One-To-One via App",
	})
	return id
}

// AddContact puts a contact into the book and returns its id. Other numbers become
// contacts of their own, as JustCall makes them.
func (s *Server) AddContact(agent int, name, contactNumber string, others ...string) (id int64) {
	id = s.nextID()
	related := make([]Row, 0, len(others))
	children := make([]Row, 0, len(others))
	for _, other := range others {
		child := s.nextID()
		related = append(related, Row{"contact_relation_id": child, "label": "", "number": digits(other)})
		children = append(children, Row{"id": child, "parent_contact_id": id, "name": name, "contact_number": digits(other), "other_numbers": []Row{}, "agent_id": agent})
	}
	s.Contacts = append(s.Contacts, Row{"id": id, "name": name, "contact_number": digits(contactNumber), "other_numbers": related, "agent_id": agent})
	s.Contacts = append(s.Contacts, children...)
	return id
}

// AddUser puts a member of the team into the book.
func (s *Server) AddUser(role, zone string, lines ...string) {
	id := int64(OwnerID + len(s.Users))
	s.Users = append(s.Users, Row{
		"id": id, "role": role, "name": "", "email": "", "timezone": zone, "working_hours_type": "",
		"available": "Yes", "on_call": "No", "owned_numbers": lines, "shared_numbers": []string{},
	})
}

// AddLine puts one of the account's numbers into the book.
func (s *Server) AddLine(lineNumber, name, availability string) {
	s.Lines = append(s.Lines, Row{
		"id": s.nextID(), "justcall_number": digits(lineNumber), "friendly_number": lineNumber, "justcall_line_name": name,
		"availability_setting": availability, "current_status": "Open", "number_type": "local", "sms_compliance": "Verified",
		"capabilities": Row{"call": "Yes", "sms": "Yes", "mms": "No"},
	})
}

// Delete takes a row out of every list.
func (s *Server) Delete(id int64) {
	for _, rows := range []*[]Row{&s.Calls, &s.DialerCalls, &s.Texts, &s.Contacts} {
		*rows = slices.DeleteFunc(*rows, func(r Row) bool { return r["id"] == id || r["call_id"] == id })
	}
}

// shown returns a row as JustCall shows it now.
func (s *Server) shown(r Row) Row {
	end, ok := r[endsAt].(time.Time)
	if !ok {
		return r
	}
	r = maps.Clone(r)
	delete(r, endsAt)
	if s.Now().Before(end) {
		info := maps.Clone(r["call_info"].(Row))
		info["type"] = "In Progress"
		r["call_info"] = info
	}
	return r
}

// nextID returns a new id. They grow, and are not consecutive.
func (s *Server) nextID() int64 {
	s.lastID += 1 + s.lastID%7
	return s.lastID
}

func digits(text string) string { return strings.TrimPrefix(text, "+") }
