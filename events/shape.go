package events

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// shape is the documented members of an object, by name.
type shape map[string]member

// member is the documentation of one member. The zero member is kept, but not
// interpreted.
type member struct {
	// name is the member's own, as a key of its shape.
	name string
	// fits reports whether a value has the documented type; nil takes any, or, if there
	// are inner members, objects.
	fits func(jsontext.Value) bool
	// slot is where the value goes, for [values] to return.
	slot slot
	// alias is set if no document has the name, and there may be others for the slot.
	alias bool
	// inner are the documented members of a member that is itself an object. Its
	// undocumented members are not reported: the object is kept whole.
	inner shape
}

// with returns the members of both shapes.
func (s shape) with(more shape) shape {
	all := maps.Clone(s)
	maps.Copy(all, more)
	return all.named()
}

// named gives each member its name.
func (s shape) named() shape {
	for name, m := range s {
		m.name = name
		s[name] = m
	}
	return s
}

// read puts a value into its slot, or the values inside it into theirs, and
// reports whether all have the documented type.
func (m member) read(v jsontext.Value, into *values) (fits bool) {
	if m.inner == nil {
		into[m.slot] = v
		return m.fits == nil || m.fits(v)
	}
	fits = true
	if v.Kind() != '{' {
		fits = isEmpty(v) || m.fits != nil && m.fits(v)
		inner, _ := unwrapData(v, 0)
		if inner.Kind() != '{' {
			if typ, ok := m.inner["type"]; ok && !fits {
				into[typ.slot] = v // the word alone
			}
			return fits
		}
		v = inner
	}
	var respelled []respelling
	eachRawMember(v, func(start, end int, value jsontext.Value) {
		inner, ok := m.inner[string(v[start:end])]
		if !ok && !isPlainName(v[start:end]) {
			name := unquote(v[start-1 : end+1])
			if inner, ok = m.inner[name]; !ok {
				respelled = m.inner.appendRespelled(respelled, name, value)
			}
		}
		switch {
		case !ok:
		case inner.alias:
			respelled = append(respelled, respelling{inner.name, inner, value})
		default:
			fits = inner.read(value, into) && fits
		}
	})
	into.addRespelled(respelled)
	return fits
}

// isPlainName reports whether a name as it is written has neither capitals nor escapes.
func isPlainName(name []byte) bool {
	for _, c := range name {
		if 'A' <= c && c <= 'Z' || c == '\\' {
			return false
		}
	}
	return true
}

// respelling is a value under a name that is that of a member in another spelling.
type respelling struct {
	name string
	member
	value jsontext.Value
}

// appendRespelled appends a value whose name is a documented one with capitals.
func (s shape) appendRespelled(all []respelling, name string, value jsontext.Value) []respelling {
	bare := bareName(name)
	for documented, m := range s {
		if bareName(documented) == bare {
			all = append(all, respelling{name, m, value})
		}
	}
	return all
}

// addRespelled adds what says more than what is there: under a documented name, or
// under a name before it in the alphabet. The order in which they were sent cannot
// matter.
func (v *values) addRespelled(all []respelling) {
	slices.SortFunc(all, func(a, b respelling) int { return cmp.Compare(a.name, b.name) })
	for _, r := range all {
		var said values
		r.read(r.value, &said)
		v.add(&said)
	}
}

// otherNames are members of calls and messages under names that other programs give them,
// by [bareName].
var otherNames = sync.OnceValue(func() map[string]slot {
	return map[string]slot{
		"calldirection": slotDirection, "caller": slotCaller, "callerid": slotCaller, "callernumber": slotFrom, "callerphone": slotFrom,
		"calluuid": slotCallID, "callednumber": slotTo, "callee": slotCallee, "calleenumber": slotTo, "contactphone": slotOtherNumber,
		"customernumber": slotOtherNumber, "customerphone": slotOtherNumber, "fromnumber": slotFrom, "phone": slotOtherNumber,
		"phonenumber": slotOtherNumber, "tonumber": slotTo,
		"ani": slotFrom, "callerphonenumber": slotFrom, "cli": slotFrom, "clid": slotFrom, "fromphone": slotFrom,
		"fromphonenumber": slotFrom, "sourcenumber": slotFrom, "destinationnumber": slotTo, "tophone": slotTo,
		"tophonenumber": slotTo, "clientnumber": slotOtherNumber, "clientphone": slotOtherNumber,
		"contactphonenumber": slotOtherNumber, "customerphonenumber": slotOtherNumber, "externalnumber": slotOtherNumber,
		"leadnumber": slotOtherNumber, "leadphone": slotOtherNumber, "leadphonenumber": slotOtherNumber,
		"remotenumber": slotOtherNumber,
		"callendedat":  slotEndedAt, "callendtime": slotEndedAt, "endedat": slotEndedAt, "endtime": slotEndedAt,
	}
})

// personShape has the number's names in an object about a person. Whose name stands beside it
// is not sure: it may be one of our own lines.
func personShape() shape {
	s := shape{}
	for _, name := range []string{"contact_number", "e164", "mobile", "number", "phone", "phone_number"} {
		s[name] = member{slot: slotOtherNumber, alias: true}
	}
	return s.named()
}

// flags are members that say yes or no to one question about a call, under names that no
// document has.
var flags = map[slot]string{
	slotIsAbandoned: "abandoned is_abandoned was_abandoned call_abandoned",
	slotIsAnswered:  "answered is_answered was_answered call_answered",
	slotIsInbound:   "inbound is_inbound incoming is_incoming",
	slotIsMissed:    "missed is_missed was_missed call_missed missed_call is_missed_call unanswered is_unanswered no_answer",
	slotIsOutbound:  "outbound is_outbound outgoing is_outgoing",
	slotIsVoicemail: "voicemail is_voicemail has_voicemail voicemail_left left_voicemail",
}

// isFlag reports whether a slot is for a yes or no.
func (s slot) isFlag() bool { return slotIsAbandoned <= s && s <= slotIsVoicemail }

// withAliases returns the shape of call_info with names that no document has.
func (s shape) withAliases() shape {
	for slot, names := range flags {
		for name := range strings.FieldsSeq(names) {
			s[name] = member{slot: slot, alias: true}
		}
	}
	s["call_direction"] = member{slot: slotInfoDirection, alias: true}
	s["call_type"] = member{slot: slotCallType, alias: true}
	for _, name := range []string{"call_outcome", "call_result", "call_status", "outcome", "result"} {
		s[name] = member{slot: slotOutcome, alias: true}
	}
	return s.named()
}

// spellingsOf returns the members of a shape by [bareName], and those inside others by
// their names with and without that of the outer member in front, as programs write
// that make one level of several. They are made when they are first asked for: no
// documented payload needs them.
func spellingsOf(s func() shape) func() map[string]member {
	return sync.OnceValue(func() map[string]member { return s().spellings() })
}

func (s shape) spellings() map[string]member {
	all := map[string]member{}
	for outer, m := range s {
		for name, inner := range m.inner {
			all[bareName(outer+name)] = inner
			all[bareName(name)] = inner
		}
	}
	for name, m := range s {
		all[bareName(name)] = m
	}
	if _, ok := s["from"]; ok {
		for name, slot := range otherNames() {
			all[name] = member{slot: slot}
		}
		for _, name := range []string{"client", "contact", "customer", "lead", "person"} {
			all[name] = member{inner: personShape()}
		}
	}
	if _, ok := s["other_numbers"]; ok {
		for _, name := range []string{"contactphone", "mobile", "number", "phonenumber"} {
			all[name] = member{slot: slotPhone}
		}
		for _, name := range []string{"contactnumbers", "contactphones", "mobiles", "numbers", "otherphones", "phonenumbers", "phones"} {
			all[name] = member{slot: slotOtherNumbers}
		}
	}
	if _, ok := s["call_info"]; ok {
		for _, name := range []string{"calloutcome", "callresult", "callstatus", "outcome", "result"} {
			all[name] = member{slot: slotOutcome}
		}
		all["type"], all["calltype"] = member{slot: slotType}, member{slot: slotCallType}
		all["answeredby"] = member{slot: slotAnsweredBy}
		// The REST API's.
		all["queue"] = member{inner: shape{"exit_reason": {slot: slotExitReason}}}
		all["queueexitreason"] = member{slot: slotExitReason}
		all["parentcallsid"], all["parentcallid"] = member{slot: slotParentID}, member{slot: slotParentID}
	}
	return all
}

// slot names a member that we interpret.
type slot uint8

// The slots. "Info" is for members of call_info and sms_info.
const (
	slotNone slot = iota // for members that are not read
	slotAgentID
	slotAgentName
	slotAnsweredBy
	slotBody
	slotCallDate
	slotCallTraits
	slotCallbackAttempted
	slotCallbackRequested
	slotCallbackStatus
	slotCallID
	slotCallSID
	slotCallTime
	slotCallType // as slotType
	slotCallee   // a number or a name, as that of slotCaller
	slotCaller
	slotChangedFields
	slotCompany
	slotContactID
	slotContactName
	slotContactNumber
	slotConversationTime
	slotCustomerNumber
	slotDateTime
	slotDeliveredAt
	slotDeliveryStatus
	slotDirection
	slotDisposition
	slotDuration
	slotEmail
	slotEndedAt
	slotExitReason // how the caller left a queue
	slotFirstName
	slotFrom
	slotID
	slotInfoBody
	slotInfoDirection
	slotInfoDisposition
	slotInfoMMS
	slotInfoMissedReason
	slotInfoNotes
	slotInfoRecording
	slotInfoStatus // whether the call is archived
	slotInfoTranscription
	slotInfoType
	slotIsAbandoned
	slotIsAnswered
	slotIsInbound
	slotIsMissed
	slotIsOutbound
	slotIsVoicemail
	slotJustCallNumber
	slotLastName
	slotLineName
	slotMediaURL
	slotMediaURLs
	slotMedium
	slotMessageID
	slotName
	slotNotes
	slotOtherNumber // of somebody, under a name that no document has
	slotOtherNumbers
	slotOutcome  // of a call, under a name that no document has
	slotParentID // of the call that this is a leg of
	slotPhone
	slotRecordingURL
	slotRingDuration
	slotRingTime
	slotSMSDate
	slotSMSTime
	slotSalesDialerNumber
	slotSource
	slotStatus
	slotTo
	slotTotalDuration
	slotTranscription
	slotType // of a call's data, which is none of the event: a direction or an outcome
	slots    // how many there are
)

// The shapes are made when the first payload of their kind comes: a new process has to answer one.

// partyShape has the members that calls, messages and unknown events share: ids,
// numbers, agent and time, under the names of both formats.
var partyShape = sync.OnceValue(func() shape {
	return shape{
		"agent_email":         {},
		"agent_id":            {fits: isInteger, slot: slotAgentID},
		"agent_name":          {fits: isText, slot: slotAgentName},
		"call_date":           {fits: isText, slot: slotCallDate},
		"call_id":             {fits: isNumberText, slot: slotCallID},
		"call_sid":            {fits: isNumberText, slot: slotCallSID},
		"call_time":           {fits: isText, slot: slotCallTime},
		"contact_email":       {},
		"contact_id":          {fits: isNumberText, slot: slotContactID},
		"contact_name":        {fits: isText, slot: slotContactName},
		"contact_number":      {fits: isNumberText, slot: slotContactNumber},
		"datetime":            {slot: slotDateTime},
		"direction":           {fits: isDirection, slot: slotDirection},
		"from":                {fits: isNumberText, slot: slotFrom},
		"justcall_line_name":  {slot: slotLineName},
		"justcall_number":     {fits: isNumberText, slot: slotJustCallNumber},
		"message_id":          {fits: isNumberText, slot: slotMessageID},
		"sales_dialer_number": {fits: isNumberText, slot: slotSalesDialerNumber},
		"sms_date":            {fits: isText, slot: slotSMSDate},
		"sms_time":            {fits: isText, slot: slotSMSTime},
		"to":                  {fits: isNumberText, slot: slotTo},
	}
})

var callShape = sync.OnceValue(func() shape {
	return partyShape().with(shape{
		// In the user's own zone, and editable: kept, never used.
		"call_user_date": {},
		"call_user_time": {},

		"call_duration": {inner: shape{
			"conversation_time": {fits: isDuration, slot: slotConversationTime},
			"ring_time":         {fits: isDuration, slot: slotRingTime},
			"total_duration":    {fits: isDuration, slot: slotTotalDuration},
		}},
		"call_info": {inner: shape{
			"call_answered_by":        {slot: slotAnsweredBy},
			"call_traits":             {slot: slotCallTraits},
			"direction":               {fits: isDirection, slot: slotInfoDirection},
			"disposition":             {fits: isText, slot: slotInfoDisposition},
			"missed_call_reason":      {fits: isText, slot: slotInfoMissedReason},
			"notes":                   {fits: isText, slot: slotInfoNotes},
			"recording":               {fits: isText, slot: slotInfoRecording},
			"status":                  {slot: slotInfoStatus},
			"type":                    {fits: isText, slot: slotInfoType},
			"voicemail_transcription": {fits: isText, slot: slotInfoTranscription},
		}.withAliases()},
		"call_transcription": {},
		"campaign":           {},
		"cost_incurred":      {},
		"disposition":        {fits: isText, slot: slotDisposition},
		"duration":           {fits: isDuration, slot: slotDuration},
		"id":                 {fits: isNumberText, slot: slotID},
		"ivr_info":           {},
		"justcall_ai":        {},
		"notes":              {fits: isText, slot: slotNotes},
		"queue_callback": {fits: isAnything, inner: shape{
			"callback_attempted": {slot: slotCallbackAttempted},
			"callback_requested": {slot: slotCallbackRequested},
			"callback_status":    {slot: slotCallbackStatus},
		}},
		"recording_url": {fits: isText, slot: slotRecordingURL},
		"ring_duration": {fits: isDuration, slot: slotRingDuration},
		"status":        {fits: isText, slot: slotStatus},
		"tags":          {},
		"transcription": {fits: isText, slot: slotTranscription},
	})
})

var messageShape = sync.OnceValue(func() shape {
	return partyShape().with(shape{
		"body":            {fits: isText, slot: slotBody},
		"cost_incurred":   {},
		"delivered_at":    {fits: isText, slot: slotDeliveredAt},
		"delivery_status": {fits: isText, slot: slotDeliveryStatus},
		"id":              {fits: isNumberText, slot: slotID},
		"media_url":       {fits: isText, slot: slotMediaURL},
		"is_deleted":      {},
		"medium":          {fits: isText, slot: slotMedium},
		"media_urls":      {fits: isTexts, slot: slotMediaURLs},
		"sms_info": {inner: shape{
			"body": {fits: isText, slot: slotInfoBody},
			"mms":  {fits: isMMS, slot: slotInfoMMS},
		}},
		"sms_user_date": {},
		"sms_user_time": {},
		"status":        {fits: isText, slot: slotStatus},
		"tags":          {},
	})
})

var contactShape = sync.OnceValue(func() shape {
	return shape.named(shape{
		"address":           {},
		"agent_id":          {},
		"changed_fields":    {fits: isTexts, slot: slotChangedFields},
		"company":           {fits: isText, slot: slotCompany},
		"contact_id":        {fits: isNumberText, slot: slotContactID},
		"contact_name":      {fits: isText, slot: slotContactName},
		"contact_number":    {fits: isNumberText, slot: slotContactNumber},
		"created_at":        {}, // a date without a time
		"email":             {fits: isText, slot: slotEmail},
		"extension":         {},
		"first_name":        {fits: isText, slot: slotFirstName},
		"id":                {fits: isNumberText, slot: slotID},
		"last_name":         {fits: isText, slot: slotLastName},
		"last_updated_at":   {},
		"name":              {fits: isText, slot: slotName},
		"notes":             {},
		"other_numbers":     {slot: slotOtherNumbers},
		"phone":             {fits: isNumberText, slot: slotPhone},
		"source":            {fits: isText, slot: slotSource},
		"status":            {slot: slotStatus}, // an object: blacklist, dnd, dnm
		"status_updated_at": {},
	})
})

// appointmentShape is what the scheduler sends. We read the customer's number, to
// keep the appointment with their calls; its dates are in several zones.
var appointmentShape = sync.OnceValue(func() shape {
	return partyShape().with(shape{
		"appointment_customer_date": {},
		"appointment_customer_time": {},
		"appointment_date":          {},
		"appointment_time":          {},
		"appointment_user_date":     {},
		"appointment_user_time":     {},
		"booked_via":                {},
		"calendar_id":               {},
		"calendar_language":         {},
		"calendar_link":             {},
		"calendar_name":             {},
		"created_at":                {},
		"customer_email":            {},
		"customer_first_name":       {},
		"customer_ip_address":       {},
		"customer_last_name":        {},
		"customer_number":           {fits: isNumberText, slot: slotCustomerNumber},
		"customer_slot":             {},
		"customer_timezone":         {},
		"id":                        {},
		"notes":                     {},
		"slot_duration":             {},
		"type":                      {},
		"user_slot":                 {},
		"user_timezone":             {},
	})
})

// unknownShape includes a call's outcome: a missed call of format B may have an
// unknown type.
var unknownShape = sync.OnceValue(func() shape {
	return partyShape().with(shape{
		"call_info": {inner: shape{
			"direction":          {fits: isDirection, slot: slotInfoDirection},
			"missed_call_reason": {fits: isText, slot: slotInfoMissedReason},
			"type":               {fits: isText, slot: slotInfoType},
		}.withAliases()},
		"status": {slot: slotStatus},
	})
})
