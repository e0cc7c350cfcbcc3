package main

// The packages whose tests keep the promises.
const (
	alerts     = "internal/alert"
	credential = "internal/credential"
	e2e        = "internal/proof/e2e"
	ingest     = "internal/ingest"
	onAlerts   = "functions/alerts"
	onDrain    = "functions/drain"
	onTemplate = "internal/proof/template"
	onWebhook  = "functions/webhook"
	spill      = "internal/lambda/spill"
	stream     = "internal/lambda/stream"
	table      = "internal/table"
	onDynamo   = "internal/table/dynamo"
)

// guards are the table of guards, by promise.
var guards = []guard{
	{
		Promise: 1, Name: "a write that fails is no success",
		File: "internal/table/dynamo/writer.go", Text: `return false, WrapError("put item", err)`, Instead: `return true, nil`,
		Tests: []string{onWebhook, e2e}, Only: "Answers503WhenTheTable|200Means|WithTheQueue",
	},
	{
		Promise: 1, Name: "a drained write that fails is no success",
		File: "internal/table/dynamo/dynamostore/store.go", Text: `return false, dynamo.WrapError("put item", err)`, Instead: `return true, nil`,
		Tests: []string{e2e}, Only: "NothingIsLost",
	},
	{
		Promise: 1, Name: "what is no answer of the table's is no success",
		File: "internal/awsclient/service.go", Text: `if jsontext.Value(body).Kind() != '{' || !jsontext.Value(body).IsValid() {`, Instead: `if jsontext.Value(body).Kind() == 'x' {`,
		Tests: []string{onDynamo},
	},
	{
		Promise: 1, Name: "an answer that was changed on the way is no success",
		File: "internal/awsclient/service.go", Text: `if !checksum(resp.Header, body) {`, Instead: `if false {`,
		Tests: []string{onDynamo},
	},
	{
		Promise: 1, Name: "what is spilled is sent before the 200",
		File: "internal/ingest/handler.go", Text: `spillErr := h.Spill.Send(ctx, r); spillErr != nil`, Instead: `spillErr := error(nil); spillErr != nil`,
		Tests: []string{ingest, onWebhook, e2e},
	},
	{
		Promise: 1, Name: "a message that the queue refuses is not spilled",
		File: "internal/lambda/spill/queue.go", Text: `return fmt.Errorf("send message: %s", awsclient.SafeMessage(err))`, Instead: `return nil`,
		Tests: []string{onWebhook, e2e}, Only: "Answers503WhenTheQueue|200Means|WithTheQueue",
	},
	{
		Promise: 1, Name: "the queue has to say what it holds",
		File: "internal/lambda/spill/queue.go", Text: `err != nil || sent.MD5OfMessageBody != hex.EncodeToString(sum[:])`, Instead: `err != nil || len(sum) == 0`,
		Tests: []string{spill},
	},
	{
		Promise: 1, Name: "what neither table nor queue takes is a 503",
		File: "internal/ingest/status.go", Text: `{errSpill, http.StatusServiceUnavailable,`, Instead: `{errSpill, http.StatusBadRequest,`,
		Tests: []string{ingest, onWebhook, e2e}, Only: "WhatTheSpill|Answers503WhenTheQueue|200Means|WithTheQueue",
	},
	{
		Promise: 1, Name: "an unavailable table is a 503",
		File: "internal/ingest/status.go", Text: `{table.ErrUnavailable, http.StatusServiceUnavailable,`, Instead: `{table.ErrUnavailable, http.StatusBadRequest,`,
		Tests: []string{ingest, onWebhook, e2e}, Only: "OurFault|Answers503WhenTheTable|200Means",
	},
	{
		Promise: 1, Name: "a secret that cannot be read is a 503",
		File: "internal/ingest/status.go", Text: `{credential.ErrUnavailable, http.StatusServiceUnavailable,`, Instead: `{credential.ErrUnavailable, http.StatusUnauthorized,`,
		Tests: []string{ingest},
	},
	{
		Promise: 1, Name: "any other fault of ours is a 500",
		File: "internal/ingest/status.go", Text: `return http.StatusInternalServerError, "not stored, internal error"`, Instead: `return http.StatusBadRequest, "not stored, internal error"`,
		Tests: []string{ingest, e2e}, Only: "OurFault|200Means",
	},
	{
		Promise: 1, Name: "a table that hangs leaves time to spill",
		File: "internal/ingest/handler.go", Text: `return context.WithTimeout(ctx, limit)`, Instead: `_ = limit; return context.WithCancel(ctx)`,
		Tests: []string{onWebhook}, Only: "SpillsWithin",
	},
	{
		Promise: 1, Name: "an item holds the whole body",
		File: "internal/table/item.go", Text: `	addPayload(item, d.Body, true)`, Instead: ``,
		Tests: []string{ingest, e2e}, Only: "200Means",
	},
	{
		Promise: 1, Name: "template: what is spilled is kept for two weeks",
		File: template, Text: "MessageRetentionPeriod: 1209600\n      # Six times", Instead: "MessageRetentionPeriod: 345600\n      # Six times",
		Tests: []string{onTemplate},
	},
	{
		Promise: 1, Name: "template: what is spilled outlives the stack",
		File: template, Text: "  SpillQueue:\n    Type: AWS::SQS::Queue\n    DeletionPolicy: Retain", Instead: "  SpillQueue:\n    Type: AWS::SQS::Queue\n    DeletionPolicy: Delete",
		Tests: []string{onTemplate},
	},

	{
		Promise: 2, Name: "the write's condition",
		File: "internal/table/dynamo/writer.go", Text: "`,\"ConditionExpression\":\"`+IfNew+`\",\"Item\":`", Instead: "`,\"Item\":`",
		Tests: []string{e2e},
	},
	{
		Promise: 2, Name: "the condition of what is drained",
		File: "internal/table/dynamo/dynamostore/store.go", Text: `ConditionExpression: aws.String(dynamo.IfNew),`, Instead: ``,
		Tests: []string{onDrain},
	},
	{
		Promise: 2, Name: "a condition that fails is our own write",
		File: "internal/table/dynamo/writer.go", Text: "apiErr.Code == codeExists:\n\t\treturn false, nil", Instead: "apiErr.Code == codeExists:\n\t\treturn false, table.ErrUnavailable",
		Tests: []string{onDynamo, e2e},
	},
	{
		Promise: 2, Name: "a condition that fails is our own write, drained",
		File: "internal/table/dynamo/dynamostore/store.go", Text: "case errors.As(err, &exists):\n\t\treturn false, nil", Instead: "case errors.As(err, &exists):\n\t\treturn false, table.ErrUnavailable",
		Tests: []string{onDynamo, e2e},
	},
	{
		Promise: 2, Name: "a duplicate is answered as one",
		File: "internal/ingest/received.go", Text: `case created:`, Instead: `case created || true:`,
		Tests: []string{ingest, e2e}, Only: "StoredOnce|ALostResponse|ADelivery",
	},
	{
		Promise: 2, Name: "no request id in a key",
		File: "events/time.go", Text: `return cmp.Or(requested, sent, received), time.Time{}`, Instead: `return cmp.Or(requested, sent, received), requested`,
		Tests: []string{table, e2e}, Only: "NoClock|StoredOnceAlerted",
	},
	{
		Promise: 2, Name: "marks of published alerts are read",
		File: "internal/alert/dispatcher.go", Text: `p.marked = true`, Instead: `p.marked = false`,
		Tests: []string{alerts, onAlerts, e2e}, Only: "Alerts|ARecord|EventsOf|AnAlertOutlives|StoredOnceAlerted",
	},
	{
		Promise: 2, Name: "marks of published alerts are written",
		File: "internal/alert/dispatcher.go", Text: `marking.Go(func() { d.mark(ctx, p) })`, Instead: ``,
		Tests: []string{alerts, onAlerts, e2e}, Only: "Alerts|ARecord|EventsOf|AnAlertOutlives|StoredOnceAlerted",
	},
	{
		Promise: 2, Name: "an alert waits until its marks can be read",
		File: "internal/alert/dispatcher.go", Text: `case p.markErr != nil:`, Instead: `case false:`,
		Tests: []string{alerts, onAlerts}, Only: "Marks|WithoutTheMarks",
	},
	{
		Promise: 2, Name: "two events of a call in one batch are one alert",
		File: "internal/alert/dispatcher.go", Text: `return f.ID == p.ID })`, Instead: `return false })`,
		Tests: []string{alerts, onAlerts}, Only: "EventsOf",
	},
	{
		Promise: 2, Name: "a call has one mark for each kind of alert",
		File: "internal/table/keys.go", Text: `key := Key{PK: event.PK, SK: AlertMark + string(kind)}`, Instead: `key := Key{PK: event.PK, SK: AlertMark + string(kind) + event.SK}`,
		Tests: []string{alerts, onAlerts, e2e}, Only: "EventsOf|StoredOnceAlerted",
	},
	{
		Promise: 2, Name: "an alert that is not published is not marked",
		File: "internal/alert/dispatcher.go", Text: "d.fail(ctx, p, errs[i])\n\t\t\tcontinue", Instead: "_ = errs[i]",
		Tests: []string{onAlerts, e2e}, Only: "AnAlertOutlivesAPublish|StoredOnceAlerted",
	},

	{
		Promise: 3, Name: "the digest is over the data as it came",
		File: "events/delivery.go", Text: `d.Digest = digest(said)`, Instead: `d.Digest = digest(nil)`,
		Tests: []string{ingest, e2e},
	},
	{
		Promise: 3, Name: "what stands beside the data is part of the event",
		File: "events/delivery.go", Text: `said = e.flatMembers()`, Instead: `_ = e.flatMembers()`,
		Tests: []string{ingest, e2e},
	},
	{
		Promise: 3, Name: "what stands beside the data is no probe",
		File: "events/envelope.go", Text: `return len(e.flat) == 0 && isEmpty(e.Data)`, Instead: `return isEmpty(e.Data)`,
		Tests: []string{ingest, e2e},
	},
	{
		Promise: 3, Name: "a time that cannot be read tells events apart",
		File: "events/delivery.go", Text: `d.Digest = digest(said, e.Timestamp)`, Instead: `d.Digest = digest(said)`,
		Tests: []string{e2e},
	},
	{
		Promise: 3, Name: "numbers that a float rounds stay apart",
		File: "events/delivery.go", Text: `jsontext.CanonicalizeRawFloats(true)`, Instead: `jsontext.CanonicalizeRawFloats(true), jsontext.CanonicalizeRawInts(true)`,
		Tests: []string{ingest},
	},
	{
		Promise: 3, Name: "an unknown type is kept as unknown",
		File: "events/reading.go", Text: `known.family = &unknowns`, Instead: `known.family = &calls`,
		Tests: []string{e2e},
	},
	{
		Promise: 3, Name: "members of another type are named",
		File: "internal/table/item.go", Text: `	addNames(item, TypeMismatches, d.TypeMismatches)`, Instead: ``,
		Tests: []string{ingest, e2e},
	},
	{
		Promise: 3, Name: "new members are named",
		File: "internal/table/item.go", Text: `	addNames(item, NewFields, d.NewFields)`, Instead: ``,
		Tests: []string{ingest, e2e},
	},
	{
		Promise: 3, Name: "what does not fit is counted",
		File: "internal/ingest/handler.go", Text: `slog.Int("typeMismatches", len(d.TypeMismatches)),`, Instead: ``,
		Tests: []string{e2e},
	},
	{
		Promise: 3, Name: "what is new is counted",
		File: "internal/ingest/handler.go", Text: `slog.Int("newFields", len(d.NewFields)),`, Instead: ``,
		Tests: []string{e2e},
	},

	{
		Promise: 4, Name: "the event's own time wins over its arrival",
		File: "events/time.go", Text: `return inKey, inKey`, Instead: `return cmp.Or(sent, received), inKey`,
		Tests: []string{ingest, e2e},
	},
	{
		Promise: 4, Name: "the digest is over the canonical form",
		File: "events/delivery.go", Text: `jsontext.ReorderRawObjects(true), jsontext.CanonicalizeRawFloats(true), jsontext.AllowDuplicateNames(true))`, Instead: `jsontext.AllowDuplicateNames(true), jsontext.PreserveRawStrings(true))`,
		Tests: []string{e2e},
	},
	{
		Promise: 4, Name: "an alert is the call's, not the event's",
		File: "internal/alert/alert.go", Text: `a.ID = mark.PK + "/" + strings.TrimPrefix(mark.SK, table.AlertMark)`, Instead: `a.ID = mark.PK + "/" + strings.TrimPrefix(mark.SK, table.AlertMark) + a.Key.SK`,
		Tests: []string{alerts, e2e},
	},
	{
		Promise: 4, Name: "a spilled delivery keeps its arrival",
		File: "internal/lambda/spill/message.go", Text: `ReceivedAt: m.ReceivedAt.UTC(), Headers`, Instead: `ReceivedAt: time.Now().UTC(), Headers`,
		Tests: []string{spill},
	},
	{
		Promise: 4, Name: "a spilled delivery keeps its headers",
		File: "internal/lambda/spill/message.go", Text: `Headers: m.Headers, Reason: m.Reason}`, Instead: `Reason: m.Reason}`,
		Tests: []string{spill},
	},

	{
		Promise: 5, Name: "what is refused is kept",
		File: "internal/ingest/handler.go", Text: `result, err := h.storeOrSpill(ctx, r, nil)`, Instead: `result, err := Result{}, error(nil)`,
		Tests: []string{ingest, e2e},
	},
	{
		Promise: 5, Name: "what is refused is kept whole",
		File: "internal/table/item.go", Text: `	addPayload(item, r.Body, utf8.Valid(r.Body))`, Instead: `	addPayload(item, nil, utf8.Valid(r.Body))`,
		Tests: []string{ingest, e2e},
	},
	{
		Promise: 5, Name: "a damaged record fails alone",
		File: "internal/lambda/stream/handler.go", Text: "case err != nil:\n\t\t\th.log", Instead: "case err != nil:\n\t\t\treturn nil, err\n\t\t\th.log",
		Tests: []string{stream, onAlerts}, Only: "OnlyWhat|ARecordThatCannot",
	},
	{
		Promise: 5, Name: "a record that fails is reported",
		File: "internal/lambda/stream/handler.go", Text: `answer.BatchItemFailures = []failure{{ItemIdentifier: sequences[i]}}`, Instead: `_ = sequences[i]`,
		Tests: []string{stream, onAlerts, e2e},
	},
	{
		Promise: 5, Name: "an item that is no alert fails alone",
		File: "internal/alert/dispatcher.go", Text: "d.fail(ctx, p, fmt.Errorf(\"%w: %w\", consumer.ErrPermanent, err))\n\t\t\tcontinue", Instead: "d.fail(ctx, p, fmt.Errorf(\"%w: %w\", consumer.ErrPermanent, err))\n\t\t\treturn errs",
		Tests: []string{alerts},
	},
	{
		Promise: 5, Name: "a refused request to the topic is taken apart",
		File: "internal/alert/sns.go", Text: `if len(batch) > 1 {`, Instead: `if false {`,
		Tests: []string{onAlerts}, Only: "WhatTheTopic",
	},
	{
		Promise: 5, Name: "what the topic refuses goes out redacted",
		File: "internal/alert/sns.go", Text: `if batch[0].redact(answer.ErrorCode()) {`, Instead: `if false {`,
		Tests: []string{onAlerts}, Only: "WhatTheTopic",
	},
	{
		Promise: 5, Name: "a message that is not kept comes back",
		File: "internal/lambda/spill/drain.go", Text: `answer.Failures = append(answer.Failures, failure{r.id})`, Instead: `_ = failure{r.id}`,
		Tests: []string{spill, onDrain, e2e}, Only: "OnlyWhat|AMalformed|StoresABatch|WhatCannot",
	},
	{
		Promise: 5, Name: "a message that is not kept comes back alone",
		File: "internal/lambda/spill/drain.go", Text: `answer.Failures = append(answer.Failures, failure{r.id})`, Instead: `_, err = failure{r.id}, ErrEvent`,
		Tests: []string{spill, onDrain, e2e}, Only: "OnlyWhat|AMalformed|StoresABatch|WhatCannot",
	},
	{
		Promise: 5, Name: "template: the stream takes partial answers",
		File: template, Text: "ParallelizationFactor: 10\n            FunctionResponseTypes: [ReportBatchItemFailures]", Instead: "ParallelizationFactor: 10",
		Tests: []string{onTemplate, onAlerts, e2e}, Only: "TheStream|ARecord|AnAlert|OneBad",
	},
	{
		Promise: 5, Name: "template: the stream halves a batch that fails",
		File: template, Text: "BisectBatchOnFunctionError: true", Instead: "BisectBatchOnFunctionError: false",
		Tests: []string{onTemplate, onAlerts}, Only: "TheStream|ARecordWithout",
	},
	{
		Promise: 5, Name: "template: the queue takes partial answers",
		File: template, Text: "BatchSize: 10\n            FunctionResponseTypes: [ReportBatchItemFailures]", Instead: "BatchSize: 10",
		Tests: []string{onTemplate, e2e}, Only: "TheQueue|WhatCannot",
	},
	{
		Promise: 5, Name: "template: a message that nobody can store becomes a dead letter",
		File: template, Text: "      RedrivePolicy:\n        deadLetterTargetArn: !GetAtt SpillDeadLetterQueue.Arn\n        maxReceiveCount: 240\n", Instead: "",
		Tests: []string{onTemplate},
	},
	{
		Promise: 5, Name: "template: a record that nobody can alert ends in the failure bucket",
		File: template, Text: "            DestinationConfig:\n              OnFailure:\n                Destination: !GetAtt FailureBucket.Arn\n", Instead: "",
		Tests: []string{onTemplate},
	},

	{
		Promise: 6, Name: "a token is long enough",
		File: "internal/credential/secret.go", Text: `case len(s.Token) < MinTokenLength:`, Instead: `case false:`,
		Tests: []string{credential, onWebhook, e2e},
	},
	{
		Promise: 6, Name: "a member that is misspelt is refused",
		File: "internal/credential/secret.go", Text: `json.Unmarshal([]byte(text), &s, json.RejectUnknownMembers(true))`, Instead: `json.Unmarshal([]byte(text), &s)`,
		Tests: []string{e2e},
	},
	{
		Promise: 6, Name: "without its secret the function does not start",
		File: "functions/webhook/config.go", Text: `return nil, fmt.Errorf("SECRET_ARN: %w", err)`, Instead: `return credential.Fixed(credential.Secret{}), nil`,
		Tests: []string{onWebhook, e2e},
	},
	{
		Promise: 6, Name: "a variable that is not set is a fault",
		File: "internal/lambda/lambdaenv/environment.go", Text: `e.Fault(fmt.Errorf("%s is not set", name))`, Instead: `_ = fmt.Errorf("%s is not set", name)`,
		Tests: []string{onWebhook, onAlerts, onDrain},
	},
	{
		Promise: 6, Name: "an empty token is nobody's",
		File: "internal/credential/secret.go", Text: "if token == \"\" {\n\t\treturn false\n\t}", Instead: "",
		Tests: []string{credential},
	},
	{
		Promise: 6, Name: "a token is compared",
		File: "internal/ingest/handler.go", Text: `case !secrets.Authorize(token):`, Instead: `case false:`,
		Tests: []string{ingest, e2e},
	},
	{
		Promise: 6, Name: "a signature that does not match is refused",
		File: "events/signature.go", Text: `case !matches:`, Instead: `case !matches && false:`,
		Tests: []string{e2e},
	},
	{
		Promise: 6, Name: "no signature is no right one",
		File: "events/signature.go", Text: "return ErrSignatureMissing", Instead: "return nil",
		Tests: []string{e2e},
	},
	{
		Promise: 6, Name: "a signature ages",
		File: "events/signature.go", Text: `case at.Before(now.Add(-within.Past)), at.After(now.Add(within.Ahead)):`, Instead: `case at.IsZero():`,
		Tests: []string{e2e},
	},

	{
		Promise: 7, Name: "the previous version is valid",
		File: "internal/credential/rotating.go", Text: `secrets = append(secrets, r.versions.previous)`, Instead: ``,
		Tests: []string{ingest, onWebhook, e2e},
	},
	{
		Promise: 7, Name: "the previous version is valid for a time",
		File: "internal/credential/rotating.go", Text: `r.versions.previous.Token != "" && r.Now().Before(r.versions.previousUntil)`, Instead: `r.versions.previous.Token != ""`,
		Tests: []string{ingest, e2e},
	},
	{
		Promise: 7, Name: "signatures with the previous secret count",
		File: "events/signature.go", Text: `for _, secret := range secrets {`, Instead: `for _, secret := range secrets[:1] {`,
		Tests: []string{ingest, e2e},
	},
	{
		Promise: 7, Name: "a token that is not known has the secret read again",
		File: "internal/ingest/handler.go", Text: `secrets, err = h.credentials.Refresh(ctx)`, Instead: `err = error(nil)`,
		Tests: []string{ingest},
	},
	{
		Promise: 7, Name: "a signature that is not known has the secret read again",
		File: "internal/ingest/handler.go", Text: `newer, refreshErr := h.credentials.Refresh(ctx)`, Instead: `newer, refreshErr := secrets, error(nil)`,
		Tests: []string{ingest},
	},
	{
		Promise: 7, Name: "while nobody can tell, the sender is to come back",
		File: "internal/credential/rotating.go", Text: "if early || r.readErr != nil {\n\t\treturn nil, r.readErr", Instead: "if early || r.readErr != nil {\n\t\treturn nil, nil",
		Tests: []string{ingest},
	},
	{
		Promise: 7, Name: "what is known stays while the secret cannot be read",
		File: "internal/credential/rotating.go", Text: "if r.readErr = err; err != nil {\n\t\treturn", Instead: "if r.readErr = err; err != nil {\n\t\tr.versions = found\n\t\treturn",
		Tests: []string{ingest},
	},

	{
		Promise: 8, Name: "what services answer is told by its code",
		File: "internal/awsclient/error.go", Text: `if strings.HasPrefix(code, prefix) {`, Instead: `if strings.HasPrefix(code, prefix[:0]) {`,
		Tests: []string{e2e},
	},
	{
		Promise: 8, Name: "the name of an unknown type is not logged",
		File: "internal/ingest/received.go", Text: `typ = "unregistered"`, Instead: `_ = typ`,
		Tests: []string{ingest, e2e},
	},
	{
		Promise: 8, Name: "the name of an unknown type is in no logged key",
		File: "internal/table/keys.go", Text: `ok && !events.Type(typ).Registered() {`, Instead: `ok && typ == "" {`,
		Tests: []string{ingest, e2e},
	},
	{
		Promise: 8, Name: "a parser's words on a body are not logged",
		File: "events/envelope.go", Text: `return fmt.Errorf("%w at byte %d", fault, at.ByteOffset)`, Instead: `return fmt.Errorf("%w at byte %d: %w", fault, at.ByteOffset, err)`,
		Tests: []string{ingest, e2e},
	},
	{
		Promise: 8, Name: "a parser's words on a queue's message are not logged",
		File: "internal/lambda/spill/message.go", Text: `return ingest.Received{}, fmt.Errorf("%w: not its JSON", ErrMessage)`, Instead: `return ingest.Received{}, fmt.Errorf("%w: not its JSON: %w", ErrMessage, err)`,
		Tests: []string{e2e},
	},
	{
		Promise: 8, Name: "a parser's words on a stream's record are not logged",
		File: "internal/table/itemjson/itemjson.go", Text: `return fmt.Errorf("%w: at byte %d", ErrSyntax, syntax.ByteOffset)`, Instead: `return syntax`,
		Tests: []string{e2e},
	},
	{
		Promise: 8, Name: "a damaged record is named by its number alone",
		File: "internal/lambda/stream/handler.go", Text: `slog.String("sequence", sequence), slog.String("error", err.Error()))`, Instead: `slog.String("sequence", sequence), slog.String("error", string(text)))`,
		Tests: []string{stream, e2e},
	},
	{
		Promise: 8, Name: "a request is logged without its path",
		File: "internal/ingest/handler.go", Text: `attributes = append(attributes, slog.Int("status", code))`, Instead: `attributes = append(attributes, slog.Int("status", code), slog.String("path", r.Path))`,
		Tests: []string{ingest, e2e},
	},
	{
		Promise: 8, Name: "an alert is logged without its caller",
		File: "internal/alert/dispatcher.go", Text: `slog.String("key", table.LogPartition(p.Key.PK)))`, Instead: `slog.String("key", table.LogPartition(p.Key.PK)), slog.String("caller", p.Caller))`,
		Tests: []string{e2e},
	},
	{
		Promise: 8, Name: "template: the API logs no path",
		File: template, Text: `"routeKey":"$context.routeKey"`, Instead: `"routeKey":"$context.routeKey","path":"$context.path"`,
		Tests: []string{onTemplate},
	},

	{
		Promise: 9, Name: "no read before the write",
		File: "internal/table/dynamo/writer.go", Text: `_, err = w.service.Call(ctx, "PutItem"`, Instead: "w.Warm(ctx)\n\t_, err = w.service.Call(ctx, \"PutItem\"",
		Tests: []string{onWebhook, e2e},
	},
	{
		Promise: 9, Name: "the condition is the write's own",
		File: "internal/table/dynamo/writer.go", Text: "`,\"ConditionExpression\":\"`+IfNew+`\",\"Item\":`", Instead: "`,\"Item\":`",
		Tests: []string{onDynamo},
	},
	{
		Promise: 9, Name: "no second write",
		File: "internal/ingest/received.go", Text: `switch created, err := store.Put(ctx, item); {`, Instead: "_, _ = store.Put(ctx, item)\n\tswitch created, err := store.Put(ctx, item); {",
		Tests: []string{ingest, onWebhook, e2e},
	},
}
