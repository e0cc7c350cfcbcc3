// Package events is JustCall's webhook vocabulary: the two wire formats, the
// event types, the few shapes that serve them, and the signature.
//
// It is pure: no AWS, no clock, no I/O. A caller holds the bytes of one
// delivery and asks three questions of them:
//
//	envelope, err := events.Open(body)        // is this a delivery at all?
//	err = events.Verify(header, signed, …)    // did JustCall send it? (format B)
//	delivery := envelope.Decode()             // what does it say?
//
// # Wire formats
//
// Format A has the top-level members event, timestamp and data; format B (the
// developer portal's) has type, request_id, webhook_url, url_id and data. Both
// arrive at the same URL and are told apart by event and type. The legacy form
// of before 2023 carries only data, with the type inside; it is kept as
// [Unknown]. See https://developer.justcall.io/docs/webhooks.
//
// # Nothing is dropped because it is new
//
// An unregistered type decodes to [Unknown]. A registered type whose data
// changed shape keeps its [Kind] (a missed call stays a missed call); the
// members that did not fit are named in [Delivery.Misfits], and the members
// that no document mentions in [Delivery.NewFields]. [Open] fails only on what
// cannot be read as one JSON object with a type; every such error wraps
// [ErrPayload].
package events
