package template_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/addressbook"
	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
)

type grant struct{ Action, Resource string }

// grants is all that the functions may do. A line more here is a line more for
// whoever takes a function over.
var grants = map[string][]grant{
	"WebhookRole": {
		{"dynamodb:PutItem", "!GetAtt EventsTable.Arn"},
		{"dynamodb:GetItem", "!GetAtt EventsTable.Arn"}, // of one key that is never written
		{"sqs:SendMessage", "!GetAtt SpillQueue.Arn"},
		{"secretsmanager:GetSecretValue", "!Ref WebhookSecret"},
		{"logs:CreateLogStream", "!GetAtt WebhookLogGroup.Arn"},
		{"logs:PutLogEvents", "!GetAtt WebhookLogGroup.Arn"},
	},
	"AlertsRole": {
		{"dynamodb:DescribeStream", "!GetAtt EventsTable.StreamArn"},
		{"dynamodb:GetShardIterator", "!GetAtt EventsTable.StreamArn"},
		{"dynamodb:GetRecords", "!GetAtt EventsTable.StreamArn"},
		{"dynamodb:ListStreams", "*"},
		{"dynamodb:Query", "!GetAtt EventsTable.Arn"},
		{"dynamodb:PutItem", "!GetAtt EventsTable.Arn"}, // of marks
		{"dynamodb:PutItem", "!GetAtt EventsTable.Arn"}, // of contacts
		{"dynamodb:PutItem", "!GetAtt EventsTable.Arn"}, // of what is known of callers
		{"dynamodb:PutItem", "!GetAtt EventsTable.Arn"}, // of follow-ups
		{"dynamodb:PutItem", "!GetAtt EventsTable.Arn"}, // of timers
		{"dynamodb:PutItem", "!GetAtt EventsTable.Arn"}, // of when events last arrived
		{"sns:Publish", "!Ref AlertsTopic"},
		{"s3:PutObject", "!Sub ${FailureBucket.Arn}/*"},
		{"s3:ListBucket", "!GetAtt FailureBucket.Arn"},
		{"logs:CreateLogStream", "!GetAtt AlertsLogGroup.Arn"},
		{"logs:PutLogEvents", "!GetAtt AlertsLogGroup.Arn"},
	},
	"EscalateRole": {
		{"dynamodb:Query", "!GetAtt EventsTable.Arn"},
		{"dynamodb:Query", "!Sub ${EventsTable.Arn}/index/GSI3"},
		{"dynamodb:PutItem", "!GetAtt EventsTable.Arn"}, // of timers
		{"dynamodb:PutItem", "!GetAtt EventsTable.Arn"}, // of reminders
		{"dynamodb:PutItem", "!GetAtt EventsTable.Arn"}, // of levels, in follow-ups
		{"dynamodb:PutItem", "!GetAtt EventsTable.Arn"}, // of how far runs have come
		{"dynamodb:PutItem", "!GetAtt EventsTable.Arn"}, // of digests
		{"sns:Publish", "!Ref AlertsTopic"},
		{"logs:CreateLogStream", "!GetAtt EscalateLogGroup.Arn"},
		{"logs:PutLogEvents", "!GetAtt EscalateLogGroup.Arn"},
	},
	"ReconcileRole": {
		{"dynamodb:Query", "!GetAtt EventsTable.Arn"},
		{"dynamodb:Query", "!Sub ${EventsTable.Arn}/index/GSI1"},
		{"dynamodb:PutItem", "!GetAtt EventsTable.Arn"}, // of how far runs have come
		{"sqs:SendMessage", "!GetAtt SpillQueue.Arn"},
		{"secretsmanager:GetSecretValue", "!Ref ApiSecret"},
		{"logs:CreateLogStream", "!GetAtt ReconcileLogGroup.Arn"},
		{"logs:PutLogEvents", "!GetAtt ReconcileLogGroup.Arn"},
	},
	"DrainRole": {
		{"dynamodb:PutItem", "!GetAtt EventsTable.Arn"},
		{"sqs:ReceiveMessage", "!GetAtt SpillQueue.Arn"},
		{"sqs:DeleteMessage", "!GetAtt SpillQueue.Arn"},
		{"sqs:GetQueueAttributes", "!GetAtt SpillQueue.Arn"},
		{"logs:CreateLogStream", "!GetAtt DrainLogGroup.Arn"},
		{"logs:PutLogEvents", "!GetAtt DrainLogGroup.Arn"},
	},
}

type role struct {
	ManagedPolicies texts `yaml:"ManagedPolicyArns"`
	Policies        []struct {
		Document struct {
			Statements []statement `yaml:"Statement"`
		} `yaml:"PolicyDocument"`
	} `yaml:"Policies"`
}

type statement struct {
	Sid       text                        `yaml:"Sid"`
	Effect    text                        `yaml:"Effect"`
	Actions   texts                       `yaml:"Action"`
	Resources texts                       `yaml:"Resource"`
	Condition map[string]map[string]texts `yaml:"Condition"`
}

func (r role) statements() []statement {
	var all []statement
	for _, policy := range r.Policies {
		all = append(all, policy.Document.Statements...)
	}
	return all
}

func TestRolesAllowExactlyWhatTheirFunctionsDo(t *testing.T) {
	t.Parallel()
	parsed := read(t)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(grants)), parsed.of("AWS::IAM::Role")); diff != "" {
		t.Fatalf("roles (-want +got):\n%s", diff)
	}
	for name, want := range grants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var r role
			parsed.Resources[name].properties(t, &r)
			if len(r.ManagedPolicies) > 0 {
				t.Errorf("has managed policies: %v", r.ManagedPolicies)
			}
			var got []grant
			sids := map[text]bool{}
			for _, s := range r.statements() {
				if s.Effect != "Allow" || len(s.Actions) != 1 || len(s.Resources) != 1 || sids[s.Sid] || s.Sid == "" {
					t.Fatalf("not one action on one resource under a name of its own: %+v", s)
				}
				sids[s.Sid] = true
				got = append(got, grant{string(s.Actions[0]), string(s.Resources[0])})
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("grants (-want +got):\n%s", diff)
			}
		})
	}
}

// writes returns the condition of one of a role's grants to write.
func writes(t *testing.T, name string, sid text) map[string]map[string]texts {
	t.Helper()
	var r role
	read(t).Resources[name].properties(t, &r)
	for _, s := range r.statements() {
		if s.Sid == sid && s.Actions[0] == "dynamodb:PutItem" {
			return s.Condition
		}
	}
	t.Fatalf("no such grant: %s", sid)
	return nil
}

func wantAttributes(t *testing.T, name string, sid text, items ...table.Item) {
	t.Helper()
	written := map[string]bool{table.ExpiresAt: true} // with RetentionDays
	for _, item := range items {
		for name := range item {
			written[name] = true
		}
	}
	var allowed []string
	for _, name := range writes(t, name, sid)["ForAllValues:StringEquals"]["dynamodb:Attributes"] {
		allowed = append(allowed, string(name))
	}
	slices.Sort(allowed)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(written)), allowed); diff != "" {
		t.Errorf("attributes written (-) and what %s allows (+):\n%s", sid, diff)
	}
	for _, name := range []string{table.Alert, table.Kind, table.Payload, table.Packed} {
		if slices.Contains(allowed, name) {
			t.Errorf("with %q, %s would allow to write an event", name, sid)
		}
	}
}

// A mark with another attribute would be denied, and every alert come twice.
func TestAlertsMayWriteWhatAMarkConsistsOf(t *testing.T) {
	t.Parallel()
	event, other := table.Key{PK: "CALL#1", SK: "EVENT#1"}, table.Key{PK: "CALL#2", SK: "EVENT#2"}
	update := table.Key{PK: "CALL#3", SK: "EVENT#2026-03-12T14:32:00.000Z#call.updated#0123456789abcdef"}
	wantAttributes(t, "AlertsRole", "WriteMark",
		table.AlertedItem(event, events.KindMissedCall, noon, noon),
		table.AlertedItem(update, events.KindMissedCall, noon, noon), // in its day's list
		table.PublishingItem(event, events.KindMissedCall, event),
		table.ReturningItem(event, events.KindMissedCall, "answered", other, noon),
		table.SettledItem(event, events.KindMissedCall, "returned", noon),
		table.ReturnedItem(event, events.KindMissedCall, "answered", noon),
		table.ToldItem(event, events.KindMissedCall, events.KindCorrection, "answered", noon),
		table.SkippedItem(event, events.KindMissedCall, "blocked"),
		table.TwinItem(event, events.KindMissedCall, "answered", other),
	)
}

// The function may write contacts, and none but under a caller's number.
func TestAlertsMayWriteWhatAContactConsistsOf(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	envelope, err := events.Open([]byte(`{"event":"contact.created","timestamp":"2026-03-12T14:32:00Z","data":{"contact_id":7,"first_name":"Jordan","company":"Acme","phone":"+14155550101","other_numbers":["+14155550102"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	item := table.EventItem(envelope.Decode(), time.Time{}, noon)
	if _, err := store.Put(t.Context(), item); err != nil {
		t.Fatal(err)
	}
	book := addressbook.New(store, events.PhoneNumber, logscan.Logger(t))
	if err := book.Process(t.Context(), []table.Item{item})[0]; err != nil {
		t.Fatal(err)
	}
	page, err := store.Query(t.Context(), table.Query{Partition: table.CallerPartition("+14155550101")})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("contact: %v, %v", page.Items, err)
	}
	wantAttributes(t, "AlertsRole", "WriteContact", page.Items...)
	wantCallers(t, "AlertsRole", "WriteContact")
}

// The function may write follow-ups, and none but of a caller.
func TestAlertsMayWriteWhatAFollowUpConsistsOf(t *testing.T) {
	t.Parallel()
	call := func(id, clock, direction, outcome string) string {
		return fmt.Sprintf(`{"type":"call.completed","data":{"call_sid":%q,"contact_number":"14155550101","contact_name":"Jordan","justcall_number":"14155550100","justcall_line_name":"Support",
			"agent_name":"Ines","call_date":"2026-03-12","call_time":%q,"call_info":{"direction":%q,"type":%q},"call_duration":{"conversation_time":60,"ring_time":9}}}`,
			id, clock, direction, outcome)
	}
	act := func(id string, kind followup.ActKind) table.Item {
		return ledger.ActItem("+14155550101", followup.Act{ID: id, At: noon, Kind: kind, By: "Ines", Until: noon.Add(time.Hour)})
	}
	store := tabletest.NewBolt(t)
	book := addressbook.New(store, events.PhoneNumber, logscan.Logger(t))
	followUps := ledger.New(store, events.PhoneNumber, logscan.Logger(t))
	book.Changed = followUps.Refresh
	var all []table.Item
	for _, new := range []any{
		call("a", "11:00:00", "Incoming", "Missed"),
		`{"event":"contact.created","timestamp":"2026-03-12T14:32:00Z","data":{"contact_id":7,"first_name":"Jordan","company":"Acme","phone":"+14155550101","other_numbers":["+14155550102"]}}`,
		strings.Replace(call("o", "11:00:30", "Outgoing", "Answered"), "14155550101", "14155550102", 1),
		act("1", followup.ActClaim),
		act("2", followup.ActSnooze),
		`{"event":"voicemail.received","timestamp":"2026-03-12T11:01:00Z","data":{"call_id":"v","from":"+14155550101","to":"+14155550120","duration":9,"recording_url":"https://recordings.example.com/v.mp3","transcription":"Hello"}}`,
		call("b", "12:30:00", "Outgoing", "Answered"),
	} {
		item, ok := new.(table.Item)
		if !ok {
			envelope, err := events.Open([]byte(new.(string)))
			if err != nil {
				t.Fatal(err)
			}
			item = table.EventItem(envelope.Decode(), time.Time{}, noon.Add(time.Hour))
		}
		if _, err := store.Put(t.Context(), item); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Put(t.Context(), table.ReminderItem(table.ReminderKey("+14155550101", "first", 1), noon, time.Now(), "")); err != nil {
			t.Fatal(err)
		}
		process := consumer.All(book.Consumer(), followUps.Consumer())
		if err := process(t.Context(), []table.Item{item})[0]; err != nil {
			t.Fatal(err)
		}
		item, err := table.Get(t.Context(), store, table.FollowUpKey("+14155550101"))
		if err != nil || item == nil {
			t.Fatalf("follow-up: %v, %v", item, err)
		}
		all = append(all, item)
	}
	for _, role := range []string{"AlertsRole", "EscalateRole"} {
		wantAttributes(t, role, "WriteFollowUp", all...)
		wantCallers(t, role, "WriteFollowUp")
	}
}

// wantCallers checks that a grant is for the partitions of callers alone.
func wantCallers(t *testing.T, role string, sid text) {
	t.Helper()
	condition := writes(t, role, sid)
	if diff := cmp.Diff(texts{text(table.CallerPartition("*"))}, condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]); diff != "" {
		t.Errorf("leading keys (-want +got):\n%s", diff)
	}
	// A condition for all values holds where there is none.
	if got := condition["Null"]["dynamodb:LeadingKeys"]; !slices.Equal(got, texts{"false"}) {
		t.Errorf("the condition may be without keys: %v", got)
	}
}

// The functions may write timers, reminders and how far runs have come, and nothing else
// with their attributes.
func TestEscalationMayWriteWhatItConsistsOf(t *testing.T) {
	t.Parallel()
	timer := table.TimerItem(table.TimerKey(noon, "+14155550101", 1), noon)
	wantAttributes(t, "AlertsRole", "SetTimer", timer)
	done, _ := table.DoneItem(timer)
	wantAttributes(t, "EscalateRole", "SetTimer", timer, done)
	for _, name := range []string{"AlertsRole", "EscalateRole"} {
		wantKeys(t, name, "SetTimer", "ForAllValues:StringLike", table.TimerMark+"*")
	}
	wantAttributes(t, "EscalateRole", "WriteReminder", table.ReminderItem(table.ReminderKey("+14155550101", "first", 1), noon, noon, "calls"))
	wantKeys(t, "EscalateRole", "WriteReminder", "ForAllValues:StringLike", text(table.CallerPartition("*")))
	progress := table.Escalation{Next: noon, LockedUntil: noon, KnownSince: noon}.Item()
	wantAttributes(t, "EscalateRole", "WriteProgress", progress)
	wantKeys(t, "EscalateRole", "WriteProgress", "ForAllValues:StringEquals", text(table.Text(progress, table.PK)))
}

func TestAlertsMayWriteWhatASignOfLifeConsistsOf(t *testing.T) {
	t.Parallel()
	seen := table.Health{Arrived: noon, Ended: noon, EndedSince: noon, Texted: noon}.Item()
	wantAttributes(t, "AlertsRole", "WriteSignOfLife", seen)
	wantKeys(t, "AlertsRole", "WriteSignOfLife", "ForAllValues:StringEquals", text(table.Text(seen, table.PK)))
}

// The function may write how far it has come, and no event: what it finds goes through the
// queue. Nobody else reads JustCall's keys.
func TestReconcileMayWriteWhatItConsistsOf(t *testing.T) {
	t.Parallel()
	progress := table.ReconcileItem("CALLS", "{}", 0)
	for role, sid := range map[string]text{"ReconcileRole": "WriteProgress", "EscalateRole": "WriteDigests"} {
		wantAttributes(t, role, sid, progress)
		wantKeys(t, role, sid, "ForAllValues:StringEquals", text(table.Text(progress, table.PK)))
	}
}

// wantKeys checks which partitions a grant is for.
func wantKeys(t *testing.T, name string, sid, operator, want text) {
	t.Helper()
	if diff := cmp.Diff(texts{want}, writes(t, name, sid)[string(operator)]["dynamodb:LeadingKeys"]); diff != "" {
		t.Errorf("%s of %s: leading keys (-want +got):\n%s", sid, name, diff)
	}
}
