package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// timeLayout is how times are written in keys.
const timeLayout = "2006-01-02T15:04:05.000Z"

var errBody = errors.New("not a JSON object with a type and data")

// delivery is a body in either wire format: only format A has an Event.
type delivery struct {
	Event     string         `json:"event"`
	Timestamp string         `json:"timestamp"`
	Type      string         `json:"type"`
	Data      map[string]any `json:"data"`
	body      string
	signed    bool
}

func decode(body string) (*delivery, error) {
	d := &delivery{body: body}
	if err := json.Unmarshal([]byte(body), d); err != nil {
		return nil, errBody
	}
	if d.signed = d.Event == ""; !d.signed {
		d.Type = d.Event
	}
	if d.Type == "" || len(d.Data) == 0 {
		return nil, errBody
	}
	return d, nil
}

// item returns what is stored: the keys, the payload and the data's members.
func (d *delivery) item() (map[string]any, error) {
	occurred, err := d.occurredAt()
	if err != nil {
		return nil, err
	}
	digest, err := d.digest()
	if err != nil {
		return nil, err
	}
	at := occurred.UTC().Format(timeLayout)
	item := make(map[string]any, len(d.Data)+7)
	for name, value := range d.Data {
		if value != nil {
			item[name] = value
		}
	}
	item["PK"] = d.partition()
	item["SK"] = "EVENT#" + at + "#" + d.Type + "#" + digest
	item["payload"] = d.body
	if phone := d.phone(); phone != "" {
		item["GSI1PK"] = "PHONE#" + phone
		item["GSI1SK"] = at + "#" + d.Type
	}
	if kind := d.kind(); kind == "missed_call" || kind == "voicemail" {
		item["GSI2PK"] = "ALERT#" + at[:len(time.DateOnly)]
		item["GSI2SK"] = at + "#" + d.id()
	}
	return item, nil
}

func (d *delivery) occurredAt() (time.Time, error) {
	if !d.signed {
		return time.Parse(time.RFC3339, d.Timestamp)
	}
	return time.Parse(time.DateTime, d.first("call_date", "sms_date")+" "+d.first("call_time", "sms_time"))
}

// digest hashes the data in canonical form, so that a redelivery gets the same key.
func (d *delivery) digest() (string, error) {
	var canonical bytes.Buffer
	encoder := json.NewEncoder(&canonical)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(d.Data); err != nil {
		return "", fmt.Errorf("digest: %w", err)
	}
	sum := sha256.Sum256(bytes.TrimSuffix(canonical.Bytes(), []byte("\n")))
	return hex.EncodeToString(sum[:8]), nil
}

func (d *delivery) family() string {
	family, _, _ := strings.Cut(d.Type, ".")
	return family
}

var partitions = map[string]string{"call": "CALL#", "voicemail": "CALL#", "sms": "MESSAGE#", "contact": "CONTACT#"}

func (d *delivery) partition() string {
	prefix, id := partitions[d.family()], d.id()
	if prefix == "" || id == "" {
		return "EVENT#" + d.Type
	}
	return prefix + id
}

func (d *delivery) id() string {
	return d.first("call_id", "call_sid", "message_id", "contact_id", "id")
}

var kinds = map[string]string{"call": "call", "contact": "contact", "sms": "message"}

func (d *delivery) kind() string {
	info, _ := d.Data["call_info"].(map[string]any)
	outcome, _ := info["type"].(string)
	switch {
	case d.family() == "voicemail", d.Type == "call.voicemail", strings.EqualFold(outcome, "voicemail"):
		return "voicemail"
	case d.Type == "call.missed", strings.EqualFold(outcome, "missed"):
		return "missed_call"
	}
	return kinds[d.family()]
}

// phone is the number of the outside party, as + and digits.
func (d *delivery) phone() string {
	party := "from"
	if d.text("direction") == "outbound" || d.Type == "sms.sent" || d.Type == "sms.delivered" {
		party = "to"
	}
	noDigit := func(r rune) bool { return r < '0' || r > '9' }
	digits := strings.Join(strings.FieldsFunc(d.first("contact_number", "phone", party), noDigit), "")
	if digits == "" {
		return ""
	}
	return "+" + digits
}

// first returns the first of some members that is there.
func (d *delivery) first(names ...string) string {
	for _, name := range names {
		if text := d.text(name); text != "" {
			return text
		}
	}
	return ""
}

// text returns a member as text; ids arrive as a string or as a number.
func (d *delivery) text(name string) string {
	switch value := d.Data[name].(type) {
	case string:
		return value
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	default:
		return ""
	}
}
