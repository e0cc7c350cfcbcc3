// Package events is JustCall's webhook vocabulary: the two wire formats, the
// event types, the few shapes of their data, and the signature.
//
// It is pure: no AWS, no clock, no I/O. The caller has the bytes of one delivery:
//
//	envelope, err := events.Open(body)        // is this a delivery at all?
//	err = events.Verify(signature, url, …)    // did JustCall send it? (format B)
//	delivery := envelope.Decode()             // its key and kind
//	details := envelope.Details()             // what an alert shows
//
// # Wire formats
//
// Format A has the top-level members event, timestamp and data; format B (the
// developer portal's) has type, request_id, webhook_url, url_id and data. Both
// arrive at the same URL; the member event or type tells them apart. The legacy form
// from before 2023 has only data, with the type inside. See
// https://developer.justcall.io/docs/webhooks.
//
// # How data is read
//
// A type's row in the registry names its family. The family names its shape (the
// documented members with their types) and the members that can hold the id.
// Decode and Details share one reading of the data.
//
// A new type takes a constant, a row, a sample in testdata and, if no row there
// covers it, one in docs/table.md. A new member takes a line in its shape.
//
// # Nothing is dropped because it is new
//
// An unregistered type is read as a call if its name or its data tell of one, and else
// decodes to [Unknown]. A registered type whose data changed shape keeps its [Kind] (a
// missed call stays a missed call);
// [Delivery.TypeMismatches] names the members that have another type than
// documented, and [Delivery.NewFields] those that are not documented. [Open]
// reads forms, lists, wrapped and damaged bodies and those without a type as well, as
// long as they show what they are; [Envelope.Damage] says what was odd. Every error
// wraps [ErrPayload].
package events
