package spill

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"github.com/ringback/ringback/internal/ingest"
)

// MaxMessage is the largest message of the queue, in bytes. Whatever fits the
// table fits in it. See
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html.
const MaxMessage = 1 << 20

const (
	version = 1
	// maxText is the largest message, in bytes, that has the body as text.
	maxText = 200 << 10
	// maxBody bounds what a body may unpack to; a function is given no more
	// than 6 MB.
	maxBody = 16 << 20
)

// Errors of [Encode] and [Decode]. Their texts have no content in them.
var (
	// ErrTooLarge says that a receipt does not fit into a message.
	ErrTooLarge = errors.New("message over 1 MiB")

	// ErrMessage says that a text is not a receipt of this version.
	ErrMessage = errors.New("not a spilled delivery")
)

// message is a receipt as the queue has it. It has exactly one of the bodies.
type message struct {
	Version    int               `json:"version"`
	ReceivedAt time.Time         `json:"received_at"`
	Headers    map[string]string `json:"headers,omitempty"`
	Reason     string            `json:"reason,omitempty"`
	Body       *string           `json:"body,omitzero"`
	// BodyGzip is compressed, and base64 in JSON.
	BodyGzip []byte `json:"body_gzip,omitzero"`
}

// Encode writes a receipt as the body of a message: versioned JSON, for people
// to read, with the body as it is unless it is large or no text. The error
// wraps [ErrTooLarge].
func Encode(r ingest.Receipt) (string, error) {
	m := message{Version: version, ReceivedAt: r.ReceivedAt.UTC(), Headers: r.Headers, Reason: r.Reason}
	if len(r.Body) <= maxText && utf8.Valid(r.Body) {
		body := string(r.Body)
		m.Body = &body
		text, err := marshal(m)
		if err != nil || len(text) <= maxText {
			return text, err
		}
		m.Body = nil
	}
	m.BodyGzip = compress(r.Body)
	text, err := marshal(m)
	if err == nil && len(text) > MaxMessage {
		err = fmt.Errorf("%w: %d bytes", ErrTooLarge, len(text))
	}
	if err != nil {
		return "", err
	}
	return text, nil
}

// marshal writes JSON of the characters that a queue takes. All others than
// these two are escaped in JSON, or are no UTF-8. See
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html.
func marshal(m message) (string, error) {
	text, err := json.Marshal(m, json.Deterministic(true))
	if err != nil {
		return "", errors.New("encode message: a header or the reason is not UTF-8")
	}
	text = bytes.ReplaceAll(text, []byte("\uFFFE"), []byte(`\ufffe`))
	text = bytes.ReplaceAll(text, []byte("\uFFFF"), []byte(`\uffff`))
	return string(text), nil
}

func compress(body []byte) []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(body) // a buffer takes every write
	_ = w.Close()
	return packed.Bytes()
}

// Decode reads what [Encode] wrote. The error wraps [ErrMessage].
func Decode(text string) (ingest.Receipt, error) {
	var m message
	// A member of another version could say what the item must not lack.
	if err := json.Unmarshal([]byte(text), &m, json.RejectUnknownMembers(true)); err != nil {
		return ingest.Receipt{}, fmt.Errorf("%w: not its JSON", ErrMessage)
	}
	switch {
	case m.Version != version:
		return ingest.Receipt{}, fmt.Errorf("%w: version %d", ErrMessage, m.Version)
	case m.ReceivedAt.IsZero():
		return ingest.Receipt{}, fmt.Errorf("%w: no received_at", ErrMessage)
	case (m.Body == nil) == (m.BodyGzip == nil):
		return ingest.Receipt{}, fmt.Errorf("%w: not exactly one body", ErrMessage)
	}
	r := ingest.Receipt{ReceivedAt: m.ReceivedAt.UTC(), Headers: m.Headers, Reason: m.Reason}
	if m.Body != nil {
		r.Body = []byte(*m.Body)
		return r, nil
	}
	var err error
	if r.Body, err = decompress(m.BodyGzip); err != nil {
		return ingest.Receipt{}, fmt.Errorf("%w: body_gzip: %w", ErrMessage, err)
	}
	return r, nil
}

func decompress(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	if err == nil && len(body) > maxBody {
		err = errors.New("unpacks to more than 16 MiB")
	}
	return body, err
}
