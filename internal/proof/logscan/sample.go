package logscan

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
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

// private are the members of the samples that hold something of a person.
var private = map[Kind]*regexp.Regexp{
	Number:    regexp.MustCompile(`^(from|to|phone|(.*_)?number)$`),
	Name:      regexp.MustCompile(`^(.*_)?name$`),
	Company:   regexp.MustCompile(`^company$`),
	Email:     regexp.MustCompile(`^(.*_)?email$`),
	Address:   regexp.MustCompile(`^(customer_ip_)?address$`),
	Text:      regexp.MustCompile(`^(body|call_summary|crm_record|description|notes|sentence|(customer|user)_slot|(.*_)?transcription)$`),
	Recording: regexp.MustCompile(`^(calendar_link|media_urls?|recording(_child|_url)?)$`),
}

// public are the members that say nothing about a person: ids, times, states, and
// the names that the business gave to things of its own. It wins over private.
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

// samples are the private values of all samples, read once.
var samples = sync.OnceValues(func() ([]value, error) {
	_, source, _, _ := runtime.Caller(0)
	root := filepath.Join(filepath.Dir(source), "..", "..", "..")
	known := values{
		{Secret, "sample-token-not-a-secret"}: true,                            // in every webhook_url of format B
		{Name, "Pat"}:                         true, {Company, "Globex"}: true, // only a text names them
	}
	var faults []error
	for _, pattern := range []string{"events-samples/*.json", "events/testdata/a/*.json", "events/testdata/b/*.json"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(files) == 0 {
			return nil, fmt.Errorf("no samples in %s: %w", pattern, errors.Join(err))
		}
		for _, file := range files {
			var body any
			text, err := os.ReadFile(file) //nolint:gosec // G304: a sample of this module
			if err == nil {
				err = json.Unmarshal(text, &body)
			}
			if err := errors.Join(err, known.walk("", "", body)); err != nil {
				faults = append(faults, fmt.Errorf("%s: %w", file, err))
			}
		}
	}
	return slices.Collect(maps.Keys(known)), errors.Join(faults...)
})

type values map[value]bool

// walk adds what is private in a JSON value. The value is the member called name of
// an object that is itself called parent.
func (k values) walk(parent, name string, v any) (err error) {
	switch v := v.(type) {
	case map[string]any:
		for member, inner := range v {
			err = errors.Join(err, k.walk(name, member, inner))
		}
	case []any:
		for _, inner := range v {
			err = errors.Join(err, k.walk(parent, name, inner))
		}
	case string:
		if v == "" || public[name] || name == "name" && nameless[parent] {
			return nil
		}
		for kind, members := range private {
			if members.MatchString(name) {
				k.add(kind, v)
				return nil
			}
		}
		// Whoever adds a sample says what its members are.
		return fmt.Errorf("member %q: say in internal/proof/logscan whether it is private", name)
	}
	return err
}

// shingle is how many words identify a longer text: a part of somebody's text is
// somebody's too.
const shingle = 4

func (k values) add(kind Kind, text string) {
	text = html.UnescapeString(strings.ReplaceAll(text, `\`, ""))
	words := strings.Fields(wordsOf(text))
	if kind != Text || len(words) > 1 { // a single word, such as STOP, could be anybody's
		k[value{kind, text}] = true
	}
	for i, word := range words {
		switch {
		case kind == Name && len(word) > 2: // a part of a name is one as well
			k[value{kind, word}] = true
		case kind == Text && i+shingle <= len(words):
			k[value{kind, strings.Join(words[i:i+shingle], " ")}] = true
		}
	}
}
