package events

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// data is what we interpret of a payload, of any event in either format. The
// shapes below say which member goes where; a name that means two things is
// read differently in two shapes.
type data struct {
	callID, callSID, id       string
	messageID, contactID      string
	direction                 Direction
	from, to                  string
	contactNumber, ourNumber  string
	agentID                   Optional[int64]
	agentName, contactName    string
	date, dateName, time      string
	status                    string
	duration                  Optional[int64]
	ringDuration              Optional[int64]
	totalDuration             Optional[int64]
	outcome, missedReason     string
	recordingURL, recording   string
	notes, disposition        string
	transcription             string
	body, deliveredAt         string
	mediaURLs                 []string
	firstName, lastName, name string
	phone, email              string
	company, source           string
	changedFields             []string
}

// outsideParty returns the number, as sent, of the party that is not the
// account's own line.
func (d *data) outsideParty(direction Direction) string {
	switch {
	case d.contactNumber != "":
		return d.contactNumber
	case direction == Inbound:
		return d.from
	case direction == Outbound:
		return d.to
	default:
		return ""
	}
}

// parties returns who called or wrote, and who was called or written to.
func (d *data) parties(direction Direction) (from, to string) {
	from, to = d.from, d.to
	if direction == Outbound {
		return cmp.Or(from, d.ourNumber), cmp.Or(to, d.contactNumber)
	}
	return cmp.Or(from, d.contactNumber), cmp.Or(to, d.ourNumber)
}

// A reader reads one member's value into the data and reports whether it
// fitted.
type reader func(in *data, value jsontext.Value) bool

// shape is the documented members of one kind of payload and how each is read;
// nil is for a member that is kept, but not interpreted.
type shape map[string]reader

// with returns the members of both shapes.
func (s shape) with(more shape) shape {
	all := maps.Clone(s)
	maps.Copy(all, more)
	return all
}

func textIn(field func(*data) *string) reader {
	return func(in *data, v jsontext.Value) bool { return readText(field(in), v) }
}

func numberTextIn(field func(*data) *string) reader {
	return func(in *data, v jsontext.Value) bool { return readNumberText(field(in), v) }
}

func idIn(field func(*data) *string) reader {
	return func(in *data, v jsontext.Value) bool { return readID(field(in), v) }
}

func integerIn(field func(*data) *Optional[int64]) reader {
	return func(in *data, v jsontext.Value) bool { return readInteger(field(in), v) }
}

func textsIn(field func(*data) *[]string) reader {
	return func(in *data, v jsontext.Value) bool { return readTexts(field(in), v) }
}

// objectOf reads a member that is itself an object. Members that the shape
// does not list are not reported: the object is kept whole.
func objectOf(members shape) reader {
	return func(in *data, value jsontext.Value) bool {
		if value.Kind() != '{' {
			return isEmpty(value)
		}
		fits := true
		eachMember(value, func(name string, member jsontext.Value) {
			if read := members[name]; read != nil && !read(in, member) {
				fits = false
			}
		})
		return fits
	}
}

// arrayOf reads a member that is an array, element by element.
func arrayOf(element reader) reader {
	return func(in *data, value jsontext.Value) bool {
		if value.Kind() != '[' {
			return isEmpty(value)
		}
		fits := true
		eachElement(value, func(v jsontext.Value) {
			fits = element(in, v) && fits
		})
		return fits
	}
}

func mediaURLIn(in *data, v jsontext.Value) bool {
	var url string
	fits := readText(&url, v)
	if url != "" {
		in.mediaURLs = append(in.mediaURLs, url)
	}
	return fits
}

func directionIn(in *data, v jsontext.Value) bool {
	direction := parseDirection(text(v))
	if direction != "" {
		in.direction = direction
	}
	return direction != "" || isEmpty(v)
}

func dateIn(name string) reader {
	return func(in *data, v jsontext.Value) bool {
		if !isEmpty(v) {
			in.dateName = name
		}
		return readText(&in.date, v)
	}
}

// partyShape is what calls, messages and events of unknown shape share: ids,
// numbers, agent and time, with the names of both formats.
var partyShape = shape{
	"agent_email":         nil,
	"agent_id":            integerIn(func(in *data) *Optional[int64] { return &in.agentID }),
	"agent_name":          textIn(func(in *data) *string { return &in.agentName }),
	"call_date":           dateIn("call_date"),
	"call_id":             idIn(func(in *data) *string { return &in.callID }),
	"call_sid":            idIn(func(in *data) *string { return &in.callSID }),
	"call_time":           textIn(func(in *data) *string { return &in.time }),
	"contact_email":       nil,
	"contact_id":          idIn(func(in *data) *string { return &in.contactID }),
	"contact_name":        textIn(func(in *data) *string { return &in.contactName }),
	"contact_number":      numberTextIn(func(in *data) *string { return &in.contactNumber }),
	"direction":           directionIn,
	"from":                numberTextIn(func(in *data) *string { return &in.from }),
	"justcall_line_name":  nil,
	"justcall_number":     numberTextIn(func(in *data) *string { return &in.ourNumber }),
	"message_id":          idIn(func(in *data) *string { return &in.messageID }),
	"sales_dialer_number": numberTextIn(func(in *data) *string { return &in.ourNumber }),
	"sms_date":            dateIn("sms_date"),
	"sms_time":            textIn(func(in *data) *string { return &in.time }),
	"to":                  numberTextIn(func(in *data) *string { return &in.to }),
}

var callShape = partyShape.with(shape{
	// The user's zone, and editable: kept, never used.
	"call_user_date": nil,
	"call_user_time": nil,

	"call_duration": objectOf(shape{
		"ring_time":      integerIn(func(in *data) *Optional[int64] { return &in.ringDuration }),
		"total_duration": integerIn(func(in *data) *Optional[int64] { return &in.totalDuration }),
	}),
	"call_info": objectOf(shape{
		"direction":               directionIn,
		"disposition":             textIn(func(in *data) *string { return &in.disposition }),
		"missed_call_reason":      textIn(func(in *data) *string { return &in.missedReason }),
		"notes":                   textIn(func(in *data) *string { return &in.notes }),
		"recording":               textIn(func(in *data) *string { return &in.recording }),
		"type":                    textIn(func(in *data) *string { return &in.outcome }),
		"voicemail_transcription": textIn(func(in *data) *string { return &in.transcription }),
	}),
	"call_transcription": nil,
	"campaign":           nil,
	"cost_incurred":      nil,
	"disposition":        textIn(func(in *data) *string { return &in.disposition }),
	"duration":           integerIn(func(in *data) *Optional[int64] { return &in.duration }),
	"id":                 idIn(func(in *data) *string { return &in.id }),
	"ivr_info":           nil,
	"justcall_ai":        nil,
	"notes":              textIn(func(in *data) *string { return &in.notes }),
	"queue_callback":     nil,
	"recording_url":      textIn(func(in *data) *string { return &in.recordingURL }),
	"ring_duration":      integerIn(func(in *data) *Optional[int64] { return &in.ringDuration }),
	"status":             textIn(func(in *data) *string { return &in.status }),
	"tags":               nil,
	"transcription":      textIn(func(in *data) *string { return &in.transcription }),
})

var messageShape = partyShape.with(shape{
	"body":            textIn(func(in *data) *string { return &in.body }),
	"cost_incurred":   nil,
	"delivered_at":    textIn(func(in *data) *string { return &in.deliveredAt }),
	"delivery_status": textIn(func(in *data) *string { return &in.status }),
	"id":              idIn(func(in *data) *string { return &in.id }),
	"media_url":       mediaURLIn,
	"is_deleted":      nil,
	"medium":          nil,
	"media_urls":      textsIn(func(in *data) *[]string { return &in.mediaURLs }),
	"sms_info": objectOf(shape{
		"body": textIn(func(in *data) *string { return &in.body }),
		"mms":  arrayOf(objectOf(shape{"media_url": mediaURLIn})),
	}),
	"sms_user_date": nil,
	"sms_user_time": nil,
	"status":        textIn(func(in *data) *string { return &in.status }),
	"tags":          nil,
})

var contactShape = shape{
	"address":           nil,
	"agent_id":          nil,
	"changed_fields":    textsIn(func(in *data) *[]string { return &in.changedFields }),
	"company":           textIn(func(in *data) *string { return &in.company }),
	"contact_id":        idIn(func(in *data) *string { return &in.contactID }),
	"contact_number":    numberTextIn(func(in *data) *string { return &in.contactNumber }),
	"created_at":        nil, // a date without a time
	"email":             textIn(func(in *data) *string { return &in.email }),
	"extension":         nil,
	"first_name":        textIn(func(in *data) *string { return &in.firstName }),
	"id":                idIn(func(in *data) *string { return &in.id }),
	"last_name":         textIn(func(in *data) *string { return &in.lastName }),
	"last_updated_at":   nil,
	"name":              textIn(func(in *data) *string { return &in.name }),
	"notes":             nil,
	"other_numbers":     nil,
	"phone":             numberTextIn(func(in *data) *string { return &in.phone }),
	"source":            textIn(func(in *data) *string { return &in.source }),
	"status":            nil, // an object: blacklist, dnd, dnm
	"status_updated_at": nil,
}

// appointmentShape is what the scheduler sends: of it we read the customer's
// number, to file it with their calls. The dates are in several zones.
var appointmentShape = partyShape.with(shape{
	"appointment_customer_date": nil,
	"appointment_customer_time": nil,
	"appointment_date":          nil,
	"appointment_time":          nil,
	"appointment_user_date":     nil,
	"appointment_user_time":     nil,
	"booked_via":                nil,
	"calendar_id":               nil,
	"calendar_language":         nil,
	"calendar_link":             nil,
	"calendar_name":             nil,
	"created_at":                nil,
	"customer_email":            nil,
	"customer_first_name":       nil,
	"customer_ip_address":       nil,
	"customer_last_name":        nil,
	"customer_number":           numberTextIn(func(in *data) *string { return &in.contactNumber }),
	"customer_slot":             nil,
	"customer_timezone":         nil,
	"id":                        nil,
	"notes":                     nil,
	"slot_duration":             nil,
	"type":                      nil,
	"user_slot":                 nil,
	"user_timezone":             nil,
})

// unknownShape also reads of a call's outcome: a call of format B is missed
// whatever its event is called.
var unknownShape = partyShape.with(shape{
	"call_info": objectOf(shape{
		"direction": directionIn,
		"type":      textIn(func(in *data) *string { return &in.outcome }),
	}),
})

// read interprets the data by the shape and keeps the books of d: fields, new
// fields, misfits and the time that the data itself gives.
func (d *Delivery) read(known shape) *data {
	in := &data{}
	if d.Data.Kind() != '{' {
		d.misfit("data")
		return in
	}
	members := make([]Field, 0, 32)
	d.Fields = make([]Field, 0, 32)
	eachMember(d.Data, func(name string, value jsontext.Value) {
		if _, documented := known[name]; !documented {
			d.NewFields = append(d.NewFields, name)
			return
		}
		members = append(members, Field{name, value})
		if value.Kind() != 'n' {
			d.Fields = append(d.Fields, Field{name, value})
		}
	})
	// Where two members say the same thing, the later name wins, in whatever
	// order they came.
	slices.SortFunc(members, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	for _, member := range members {
		if read := known[member.Name]; read != nil && !read(in, member.Value) {
			d.misfit(member.Name)
		}
	}
	if d.OccurredAt.IsZero() && in.date != "" {
		at, ok := ParseTime(in.date + " " + in.time)
		if !ok {
			d.misfit(in.dateName)
		}
		d.OccurredAt = at
	}
	return in
}
