package e2e_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/ringback/ringback/internal/proof/eventsource"
	"github.com/ringback/ringback/internal/proof/faultproxy"
	"github.com/ringback/ringback/internal/proof/moto"
)

// JustCall, which got no answer, sends the delivery again.
func TestPromise2_ADeliveryOutlivesTheWebhooksProcess(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		queue bool // the table is down, and the request to the queue dies
		fault faultproxy.Fault
		again answer // what the second delivery is told
	}{
		{"killed before the write", false, faultproxy.Fault{Cut: true}, answer{200, "stored"}},
		{"killed after the write", false, faultproxy.Fault{PassOn: true, Cut: true}, answer{200, "duplicate"}},
		{"killed before the spill", true, faultproxy.Fault{Cut: true}, answer{200, "spilled"}},
		{"killed after the spill", true, faultproxy.Fault{PassOn: true, Cut: true}, answer{200, "spilled"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t)
			webhook := s.webhook()
			process, err := webhook.Process()
			if err != nil {
				t.Fatal(err)
			}
			killing := false
			deadly := func(r faultproxy.Request) faultproxy.Fault {
				if killing || r.Operation != "PutItem" && r.Operation != "SendMessage" {
					return faultproxy.Fault{}
				}
				killing = true
				fault := tc.fault
				fault.Then = func() { process.Kill() }
				return fault
			}
			if tc.queue {
				s.table.Set(func(faultproxy.Request) faultproxy.Fault { return faultproxy.Fault{Cut: true} })
				s.spill.Set(deadly)
			} else {
				s.table.Set(deadly)
			}
			body := samples(t)["call.missed"]
			if got, err := post(t.Context(), webhook, body); !errors.Is(err, eventsource.ErrFunction) {
				t.Fatalf("the process was to be killed: %+v, %v", got, err)
			}
			if got, err := post(t.Context(), webhook, body); err != nil || got != tc.again {
				t.Errorf("sent again: %+v, %v, want %+v", got, err, tc.again)
			}
			s.table.Set(faultproxy.None)
			if got := s.drain(s.function("drain", "DrainFunction", "SQS")); got.Failed > 0 {
				t.Errorf("drained: %+v", got)
			}
			if got := len(s.items()); got != 1 {
				t.Errorf("%d items, want 1", got)
			}
		})
	}
}

// What can never be stored keeps nothing else back, and is kept for a person.
func TestPromise5_WhatCannotBeDrainedBecomesADeadLetter(t *testing.T) {
	t.Parallel()
	s := newStackThatTries(t, 3)
	s.table.Set(func(faultproxy.Request) faultproxy.Fault { return faultproxy.Fault{Cut: true} })
	webhook := s.webhook()
	const poison = "no delivery, but a text about +14155558765"
	for name, body := range samples(t) {
		if name == "sms.received" { // in the middle
			if _, err := moto.SQS(t).SendMessage(t.Context(), &sqs.SendMessageInput{
				QueueUrl: aws.String(s.spillURL), MessageBody: aws.String(poison),
			}); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := post(t.Context(), webhook, body); err != nil || got != (answer{200, "spilled"}) {
			t.Errorf("%s: %+v, %v, want it spilled", name, got, err)
		}
	}
	s.table.Set(faultproxy.None)
	drain, settings := s.function("drain", "DrainFunction", "SQS")
	if got := s.drain(drain, settings); got.Deleted != len(samples(t)) || got.Failed != 1 {
		t.Errorf("drained %+v, want all but one", got)
	}
	for range 3 {
		s.drain(drain, settings)
	}
	if got := len(s.items()); got != len(samples(t)) {
		t.Errorf("%d items, want %d", got, len(samples(t)))
	}
	dead := moto.Receive(t, s.deadURL)
	if len(dead) != 1 || aws.ToString(dead[0].Body) != poison {
		t.Errorf("%d dead letters, want the one, as it was", len(dead))
	}
}
