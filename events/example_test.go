package events_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/ringback/ringback/events"
)

func ExampleOpen() {
	body := []byte(`{
		"event": "call.missed",
		"timestamp": "2026-03-12T14:32:00Z",
		"data": {
			"call_id": "call_1d4e5f6a",
			"direction": "inbound",
			"from": "+14155558765",
			"to": "+14155551234",
			"agent_id": null,
			"ring_duration": 30
		}
	}`)

	envelope, err := events.Open(body)
	if err != nil {
		fmt.Println(err)
		return
	}
	delivery := envelope.Decode()
	fmt.Println(delivery.Kind, delivery.ID, "alerts:", delivery.Kind.Alerts())
	if call, ok := envelope.Details().Event.(*events.Call); ok {
		at := delivery.OccurredAt(time.Time{}, time.Now())
		seconds, _ := call.RingDuration.Get()
		fmt.Printf("%s rang for %d s at %s\n", delivery.Phone, seconds, at.Format(time.RFC3339))
	}
	// Output:
	// missed_call call_1d4e5f6a alerts: true
	// +14155558765 rang for 30 s at 2026-03-12T14:32:00Z
}

func ExampleOpen_refused() {
	_, err := events.Open([]byte(`{"event": "call.missed", "data": {"call_id"`))
	fmt.Println(errors.Is(err, events.ErrPayload), errors.Is(err, events.ErrSyntax))
	// Output: true true
}

func ExampleOpen_damaged() {
	envelope, err := events.Open([]byte("\ufeff" + `{"event": "call.missed", "data": "{\"call_id\": \"call_1d4e5f6a\"}"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(envelope.Decode().ID, envelope.Damage)
	// Output: call_1d4e5f6a [bom json in string]
}

func ExampleSplit() {
	for _, body := range events.Split([]byte(`[{"event": "call.missed"}, {"event": "sms.sent"}]`)) {
		fmt.Printf("%s\n", body)
	}
	// Output:
	// {"event": "call.missed"}
	// {"event": "sms.sent"}
}

func ExampleEnvelope_Probe() {
	envelope, err := events.Open([]byte(`{"type": "call.completed"}`))
	fmt.Println(envelope.Probe(), err)
	// Output: true <nil>
}

func ExampleEnvelope_Decode() {
	envelope, err := events.Open([]byte(`{
		"type": "sms.received",
		"request_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
		"data": {"id": 98765, "contact_number": "14155558765", "mood": "calm", "direction": 1}
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	delivery := envelope.Decode()
	fmt.Println(delivery.Kind, delivery.ID, delivery.Phone)
	fmt.Println("new:", delivery.NewFields, "mismatches:", delivery.TypeMismatches)
	// Output:
	// message 98765 +14155558765
	// new: [mood] mismatches: [direction]
}

func ExampleVerify() {
	const secret = "ea39089c40790e9dc7a080ec95e849b8fa0fa5fb"
	signature := events.Signature{
		Hex:       "56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf",
		Version:   "v1",
		Timestamp: "2024-03-21 17:08:22",
	}
	ourURL := "https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4"
	within := events.Tolerance{Past: 3 * time.Hour, Ahead: 5 * time.Minute}

	now := time.Date(2024, 3, 21, 17, 8, 25, 0, time.UTC)
	fmt.Println(events.Verify(signature, ourURL, events.TypeCallCompleted, within, now, secret))

	err := events.Verify(signature, ourURL, events.TypeCallMissed, within, now, secret)
	fmt.Println(errors.Is(err, events.ErrSignatureMismatch))
	// Output:
	// <nil>
	// true
}

func ExamplePhoneNumber() {
	for _, text := range []string{"+14155558765", "1 (415) 555-8765", "anonymous", "+266696687"} {
		fmt.Printf("%q\n", events.PhoneNumber(text))
	}
	// Output:
	// "+14155558765"
	// "+14155558765"
	// ""
	// ""
}
