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

// MaxMessage is the largest message that SQS takes, in bytes. Any delivery that
// fits the table fits it. See
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html.
const MaxMessage = 1 << 20

const (
	// version is that of a delivery that the webhook spilled, and foundVersion that of
	// one that no webhook brought, which has "source" too.
	version, foundVersion = 1, 2
	// maxText is the largest message, in bytes, with the body as text.
	maxText = 200 << 10
	// maxBody bounds what a body may unpack to. Lambda passes on no more than
	// 6 MB.
	maxBody = 16 << 20
)

// Errors of [Encode] and [Decode]. Their texts have no content in them.
var (
	// ErrTooLarge: the delivery does not fit into a message.
	ErrTooLarge = errors.New("message over 1 MiB")

	// ErrMessage: the text is not a spilled delivery of this version.
	ErrMessage = errors.New("not a spilled delivery")
)

// message is a delivery as the queue holds it, with exactly one of the bodies.
type message struct {
	Version    int               `json:"version"`
	Source     string            `json:"source,omitempty"`
	ReceivedAt time.Time         `json:"received_at"`
	Headers    map[string]string `json:"headers,omitempty"`
	Reason     string            `json:"reason,omitempty"`
	Reasons    []string          `json:"reasons,omitempty"`
	Body       *string           `json:"body,omitzero"`
	// BodyGzip is compressed, and base64 in the JSON.
	BodyGzip []byte `json:"body_gzip,omitzero"`
}

// Encode writes a delivery as the text of a message: versioned JSON that people can
// read. The body is compressed if it is large, or not UTF-8. The error wraps
// [ErrTooLarge], or says that a header or the reason is not UTF-8.
func Encode(r ingest.Received) (string, error) {
	m := message{Version: version, ReceivedAt: r.ReceivedAt.UTC(), Headers: r.Headers, Reason: r.Reason, Reasons: r.Reasons}
	if r.FoundBy != "" {
		m.Version, m.Source = foundVersion, r.FoundBy
	}
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

// marshal writes JSON of characters that SQS allows. JSON escapes all characters
// that SQS forbids, except U+FFFE and U+FFFF. See
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
func Decode(text string) (ingest.Received, error) {
	var m message
	// A member that we do not know may say something that the item must have.
	if err := json.Unmarshal([]byte(text), &m, json.RejectUnknownMembers(true)); err != nil {
		// guard 8 e2e: return ingest.Received{}, fmt.Errorf("%w: not its JSON: %w", ErrMessage, err)
		return ingest.Received{}, fmt.Errorf("%w: not its JSON", ErrMessage)
	}
	switch {
	case m.Version != version && m.Version != foundVersion:
		return ingest.Received{}, fmt.Errorf("%w: version %d", ErrMessage, m.Version)
	case (m.Version == foundVersion) != (m.Source != ""):
		return ingest.Received{}, fmt.Errorf("%w: no source, or one in version %d", ErrMessage, version)
	case m.ReceivedAt.IsZero():
		return ingest.Received{}, fmt.Errorf("%w: no received_at", ErrMessage)
	case (m.Body == nil) == (m.BodyGzip == nil):
		return ingest.Received{}, fmt.Errorf("%w: not exactly one body", ErrMessage)
	}
	// guard 4: r := ingest.Received{ReceivedAt: time.Now().UTC(), Headers: m.Headers, Reason: m.Reason}
	// guard 4: r := ingest.Received{ReceivedAt: m.ReceivedAt.UTC(), Reason: m.Reason}
	r := ingest.Received{ReceivedAt: m.ReceivedAt.UTC(), Headers: m.Headers, Reason: m.Reason, Reasons: m.Reasons, FoundBy: m.Source}
	if m.Body != nil {
		r.Body = []byte(*m.Body)
		return r, nil
	}
	var err error
	if r.Body, err = decompress(m.BodyGzip); err != nil {
		return ingest.Received{}, fmt.Errorf("%w: body_gzip: %w", ErrMessage, err)
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
