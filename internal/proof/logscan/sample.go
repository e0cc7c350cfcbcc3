package logscan

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Kind says what a value is to its owner.
type Kind string

// The kinds of values that no log may hold.
const (
	Number    Kind = "phone number"
	Name      Kind = "name"
	Company   Kind = "company"
	Email     Kind = "e-mail address"
	Address   Kind = "postal or network address"
	Text      Kind = "text"
	Recording Kind = "recording or attachment"
	Secret    Kind = "secret"
)

// private says which members of the samples hold what.
var private = map[string]Kind{
	"contact_number": Number, "customer_number": Number, "from": Number, "justcall_number": Number,
	"number": Number, "phone": Number, "sales_dialer_number": Number, "to": Number,

	"agent_name": Name, "contact_name": Name, "customer_first_name": Name, "customer_last_name": Name,
	"first_name": Name, "last_name": Name,

	"company": Company,

	"agent_email": Email, "contact_email": Email, "customer_email": Email, "email": Email,

	"address": Address, "customer_ip_address": Address,

	"body": Text, "call_summary": Text, "crm_record": Text, "customer_slot": Text, "description": Text,
	"notes": Text, "sentence": Text, "transcription": Text, "user_slot": Text,
	"voicemail_transcription": Text,

	"calendar_link": Recording, "media_url": Recording, "media_urls": Recording,
	"recording": Recording, "recording_child": Recording, "recording_url": Recording,
}

// public are the members that say nothing of a person: ids, times, states, and
// names that the business gave to what is its own.
var public = map[string]bool{
	"added_at": true, "appointment_customer_date": true, "appointment_customer_time": true,
	"appointment_date": true, "appointment_time": true, "appointment_user_date": true,
	"appointment_user_time": true, "booked_via": true, "calendar_id": true,
	"calendar_language": true, "calendar_name": true, "call_date": true, "call_id": true,
	"call_moments": true, "call_sid": true, "call_time": true, "call_traits": true,
	"call_user_date": true, "call_user_time": true, "changed_fields": true, "color_code": true,
	"content": true, "content_type": true, "created_at": true, "customer_sentiment": true,
	"customer_timezone": true, "delivered_at": true, "delivery_status": true, "digit_pressed": true,
	"direction": true, "disposition": true, "error_code": true, "error_message": true, "event": true,
	"friendly_duration": true, "id": true, "is_mms": true, "justcall_line_name": true, "label": true,
	"last_updated_at": true, "medium": true, "message_id": true, "missed_call_reason": true,
	"rating": true, "request_id": true, "slot_duration": true, "sms_date": true, "sms_time": true,
	"sms_user_date": true, "sms_user_time": true, "source": true, "status": true,
	"status_updated_at": true, "timestamp": true, "type": true, "url_id": true,
	"user_timezone": true, "webhook_url": true,
}

// nameless are the objects whose name is not a person's.
var nameless = map[string]bool{"campaign": true, "tags": true}

// inTexts are people and companies whom only a text names.
var inTexts = []value{{Name, "Pat"}, {Company, "Globex"}}

// sampleToken stands in the webhook_url of every format B sample.
const sampleToken = "sample-token-not-a-secret"

// samples are the private values of all samples, read once.
var samples = sync.OnceValues(func() ([]value, error) {
	root, err := root()
	if err != nil {
		return nil, err
	}
	c := collection{seen: make(map[value]bool)}
	c.add(Secret, sampleToken)
	for _, v := range inTexts {
		c.add(v.kind, v.text)
	}
	for _, pattern := range []string{"events-samples/*.json", "events/testdata/a/*.json", "events/testdata/b/*.json"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(files) == 0 {
			return nil, fmt.Errorf("no samples in %s (%w)", pattern, errors.Join(err))
		}
		for _, file := range files {
			if err := c.read(file); err != nil {
				return nil, err
			}
		}
	}
	return c.values, errors.Join(c.faults...)
})

// root is the folder of the module that is tested.
func root() (string, error) {
	folder, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", errors.New("no go.mod in this folder or above it")
		}
		folder = parent
	}
	return "", err
}

// collection gathers values, each once.
type collection struct {
	values []value
	seen   map[value]bool
	faults []error
}

func (c *collection) read(file string) error {
	text, err := os.ReadFile(file) //nolint:gosec // G304: a sample of this module
	if err != nil {
		return err
	}
	var body any
	if err := json.Unmarshal(text, &body); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	c.walk(filepath.Base(file), "", "", body)
	return nil
}

// walk adds what is private in a JSON value, which is called name in an object
// that is itself called parent.
func (c *collection) walk(file, parent, name string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for member, inner := range v {
			c.walk(file, name, member, inner)
		}
	case []any:
		for _, inner := range v {
			c.walk(file, parent, name, inner)
		}
	case string:
		kind, is := private[name]
		switch {
		case v == "" || public[name]:
		case is:
			c.add(kind, v)
		case name == "name":
			if !nameless[parent] {
				c.add(Name, v)
			}
		default:
			// Who adds a sample says what its members are.
			c.faults = append(c.faults, fmt.Errorf("%s: member %q: say in internal/proof/logscan whether it is private", file, name))
		}
	}
}

// shingle is how many words of a longer text make it known: a text that is cut
// is still somebody's.
const shingle = 4

func (c *collection) add(kind Kind, text string) {
	text = html.UnescapeString(strings.ReplaceAll(text, `\`, ""))
	words := strings.Fields(wordsOf(text))
	switch kind {
	case Name:
		// A part of a name is one as well.
		for _, word := range words {
			if len(word) > 2 {
				c.put(kind, word)
			}
		}
	case Text:
		// Of STOP and START, single words, nobody can tell whose they are.
		for i := 0; i+shingle <= len(words); i++ {
			c.put(kind, strings.Join(words[i:i+shingle], " "))
		}
		if len(words) == 1 {
			return
		}
	default:
	}
	c.put(kind, text)
}

func (c *collection) put(kind Kind, text string) {
	v := value{kind, text}
	if !c.seen[v] {
		c.seen[v] = true
		c.values = append(c.values, v)
	}
}
