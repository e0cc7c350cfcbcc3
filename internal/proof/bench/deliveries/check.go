package deliveries

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/internal/table"
)

// ErrWrong says that a contender does not do the job that is measured.
var ErrWrong = errors.New("deliveries: a contender does not do its job")

// Canonical returns an item as [Delivery.Item] is written.
func Canonical(item []byte) (string, error) {
	var attributes map[string]jsontext.Value
	if err := json.Unmarshal(item, &attributes); err != nil {
		return "", fmt.Errorf("read item: %w", err)
	}
	delete(attributes, table.ReceivedAt)
	text, err := json.Marshal(attributes)
	if err != nil {
		return "", fmt.Errorf("write item: %w", err)
	}
	value := jsontext.Value(text)
	if err := value.Canonicalize(); err != nil {
		return "", fmt.Errorf("write item: %w", err)
	}
	return string(value), nil
}

// CheckAnswer compares an answer with the status and the words that it must
// have. The error wraps [ErrWrong].
func CheckAnswer(payload []byte, code int, status, key string) error {
	var response struct {
		StatusCode int    `json:"statusCode"`
		Body       string `json:"body"`
	}
	if err := json.Unmarshal(payload, &response); err != nil || response.StatusCode != code {
		return fmt.Errorf("%w: answered %.300s, want status %d", ErrWrong, payload, code)
	}
	if code != http.StatusOK {
		return nil
	}
	var said struct {
		Status string `json:"status"`
		Key    string `json:"key"`
	}
	if err := json.Unmarshal([]byte(response.Body), &said); err != nil || said.Status != status || said.Key != key {
		return fmt.Errorf("%w: answered %.300s, want %s and key %s", ErrWrong, payload, status, key)
	}
	return nil
}

// CheckItems compares what was stored with what was delivered: every event
// once, with every attribute, and nothing else. The error wraps [ErrWrong].
func CheckItems(delivered []Delivery, stored [][]byte) error {
	want := make(map[string]struct{}, len(delivered))
	for _, d := range delivered {
		want[d.Item] = struct{}{}
	}
	for _, item := range stored {
		received, err := receivedAt(item)
		if err != nil {
			return err
		}
		text, err := Canonical(item)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrWrong, err)
		}
		if _, ok := want[text]; !ok || received == "" {
			return fmt.Errorf("%w: stored what was not to be, or not so:\n%s\nreceived at %q; to be stored was, among others,\n%s", ErrWrong, text, received, like(delivered, text))
		}
		delete(want, text)
	}
	if len(want) > 0 {
		return fmt.Errorf("%w: %d of %d events are not stored", ErrWrong, len(want), len(delivered))
	}
	return nil
}

func receivedAt(item []byte) (string, error) {
	var stored struct {
		ReceivedAt struct {
			S string `json:"S"`
		} `json:"received_at"`
	}
	if err := json.Unmarshal(item, &stored); err != nil {
		return "", fmt.Errorf("%w: stored no item: %w", ErrWrong, err)
	}
	return stored.ReceivedAt.S, nil
}

// like returns the item that begins most like another one: the keys come first.
func like(delivered []Delivery, text string) (item string) {
	longest := -1
	for _, d := range delivered {
		n := 0
		for n < min(len(d.Item), len(text)) && d.Item[n] == text[n] {
			n++
		}
		if n > longest {
			longest, item = n, d.Item
		}
	}
	return item
}
