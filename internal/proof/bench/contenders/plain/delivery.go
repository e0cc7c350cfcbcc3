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

// The wire formats.
const formatA, formatB = "A", "B"

// timeLayout is how times stand in keys and attributes.
const timeLayout = "2006-01-02T15:04:05.000Z"

var (
	errBody = errors.New("not a JSON object with a type and data")
	errTime = errors.New("no time of the event")
)

// delivery is a body in either wire format.
type delivery struct {
	Format    string
	Type      string
	RequestID string
	Timestamp string
	Data      map[string]any
	body      string
}

func decode(body string) (*delivery, error) {
	var envelope struct {
		Event     string         `json:"event"`
		Timestamp string         `json:"timestamp"`
		Type      string         `json:"type"`
		RequestID string         `json:"request_id"`
		Data      map[string]any `json:"data"`
	}
	if err := json.Unmarshal([]byte(body), &envelope); err != nil {
		return nil, errBody
	}
	d := &delivery{
		Format:    formatA,
		Type:      envelope.Event,
		RequestID: envelope.RequestID,
		Timestamp: envelope.Timestamp,
		Data:      envelope.Data,
		body:      body,
	}
	if d.Type == "" {
		d.Format, d.Type = formatB, envelope.Type
	}
	if d.Type == "" || len(d.Data) == 0 {
		return nil, errBody
	}
	return d, nil
}

// item returns what is stored.
func (d *delivery) item(received time.Time) (map[string]any, error) {
	occurred, err := d.occurredAt()
	if err != nil {
		return nil, err
	}
	digest, err := d.digest()
	if err != nil {
		return nil, err
	}
	at := occurred.UTC().Format(timeLayout)
	item := make(map[string]any, len(d.Data)+14)
	for name, value := range d.Data {
		if value != nil {
			item[name] = value
		}
	}
	item["PK"] = d.partition()
	item["SK"] = "EVENT#" + at + "#" + d.Type + "#" + digest
	item["event"] = d.Type
	item["kind"] = d.kind()
	item["format"] = d.Format
	item["occurred_at"] = at
	item["received_at"] = received.UTC().Format(timeLayout)
	item["payload"] = d.body
	if d.RequestID != "" {
		item["request_id"] = d.RequestID
	}
	if phone := d.phone(); phone != "" {
		item["GSI1PK"] = "PHONE#" + phone
		item["GSI1SK"] = at + "#" + d.Type
	}
	if kind := d.kind(); kind == "missed_call" || kind == "voicemail" {
		item["alert"] = kind
		item["GSI2PK"] = "ALERT#" + at[:len(time.DateOnly)]
		item["GSI2SK"] = at + "#" + d.id()
	}
	return item, nil
}

func (d *delivery) occurredAt() (time.Time, error) {
	if d.Format == formatA {
		return time.Parse(time.RFC3339, d.Timestamp)
	}
	for _, prefix := range []string{"call", "sms"} {
		date, clock := d.text(prefix+"_date"), d.text(prefix+"_time")
		if date != "" && clock != "" {
			return time.Parse("2006-01-02 15:04:05", date+" "+clock)
		}
	}
	return time.Time{}, errTime
}

// digest is of the data in canonical form, so that a redelivery has the same.
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

func (d *delivery) partition() string {
	switch family, _, _ := strings.Cut(d.Type, "."); {
	case d.id() == "":
		return "EVENT#" + d.Type
	case family == "call" || family == "voicemail":
		return "CALL#" + d.id()
	case family == "sms":
		return "MESSAGE#" + d.id()
	case family == "contact":
		return "CONTACT#" + d.id()
	default:
		return "EVENT#" + d.Type
	}
}

func (d *delivery) id() string {
	for _, name := range []string{"call_id", "call_sid", "message_id", "contact_id", "id"} {
		if id := d.text(name); id != "" {
			return id
		}
	}
	return ""
}

func (d *delivery) kind() string {
	info, _ := d.Data["call_info"].(map[string]any)
	outcome, _ := info["type"].(string)
	switch family, _, _ := strings.Cut(d.Type, "."); {
	case family == "voicemail", d.Type == "call.voicemail", strings.EqualFold(outcome, "voicemail"):
		return "voicemail"
	case d.Type == "call.missed", strings.EqualFold(outcome, "missed"):
		return "missed_call"
	case family == "call", family == "contact":
		return family
	case family == "sms":
		return "message"
	default:
		return "unknown"
	}
}

// phone is the number of the outside party, as + and digits.
func (d *delivery) phone() string {
	number := d.text("contact_number")
	if number == "" {
		number = d.text("phone")
	}
	if number == "" {
		number = d.text("from")
		if d.text("direction") == "outbound" || d.Type == "sms.sent" || d.Type == "sms.delivered" {
			number = d.text("to")
		}
	}
	digits := strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, number)
	if digits == "" {
		return ""
	}
	return "+" + digits
}

// text is a member of the data as text; ids arrive as a string or a number.
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
