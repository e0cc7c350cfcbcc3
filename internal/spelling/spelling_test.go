package spelling_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/phone"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/spelling"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// mexican takes the 1 out of Mexican mobile numbers, as they were spelt before 2019.
func mexican(number string) string {
	if rest, ok := strings.CutPrefix(number, "+521"); ok {
		return "+52" + rest
	}
	return number
}

func event(sk, phone string) table.Item {
	item := table.Item{table.PK: attr.String("CALL#1"), table.SK: attr.String("EVENT#" + sk)}
	if phone != "" {
		item[table.GSI1PK] = attr.String(table.PhonePartition(phone))
	}
	return item
}

func TestASpellingIsKeptOnce(t *testing.T) {
	t.Parallel()
	store := &tabletest.Memory{}
	b := spelling.New(store, mexican, logscan.Logger(t))
	items := []table.Item{event("1", "+5215512345678"), event("2", "+525512345678"), event("3", ""), event("4", "+5215512345678")}
	if err := errors.Join(consumer.All(b.Consumer())(t.Context(), items)...); err != nil {
		t.Fatal(err)
	}
	want := table.Key{PK: "CALLER#+525512345678", SK: "SPELLING#+5215512345678"}
	if diff := cmp.Diff(want, table.KeyOf(store.One(t))); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	if n := store.Puts(); n != 1 {
		t.Errorf("%d writes, want one", n)
	}
}

// What a key does not tell, the event does: how its number was written.
func TestASpellingIsThatOfTheWholeText(t *testing.T) {
	t.Parallel()
	numbers, err := phone.New("US")
	if err != nil {
		t.Fatal(err)
	}
	store := &tabletest.Memory{}
	b := spelling.New(store, numbers.Canonical, logscan.Logger(t))
	toronto := event("1", "+6475550115")
	toronto[table.Payload] = attr.String(`{"event":"call.missed","data":{"call_id":1,"direction":"inbound","from":"(647) 555-0115"}}`)
	auckland := event("2", "+6475550115")
	auckland[table.Payload] = attr.String(`{"event":"call.missed","data":{"call_id":2,"direction":"inbound","from":"+6475550115"}}`)
	if err := errors.Join(consumer.All(b.Consumer())(t.Context(), []table.Item{toronto, auckland})...); err != nil {
		t.Fatal(err)
	}
	want := table.Key{PK: "CALLER#+16475550115", SK: "SPELLING#+6475550115"}
	if diff := cmp.Diff(want, table.KeyOf(store.One(t))); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
}

func TestASpellingThatIsNotKeptComesAgain(t *testing.T) {
	t.Parallel()
	lines := logscan.Writer(t)
	b := spelling.New(broken{&tabletest.Memory{}}, mexican, lines.Logger())
	errs := b.Process(t.Context(), []table.Item{event("1", "+5215512345678"), event("2", "+14155550144")})
	if !errors.Is(errs[0], table.ErrUnavailable) || errs[1] != nil {
		t.Errorf("errors: %v", errs)
	}
	if got := lines.String(); !strings.Contains(got, "spelling not kept") || strings.Contains(got, "5215512345678") {
		t.Errorf("log: %s", got)
	}
}

type broken struct{ *tabletest.Memory }

func (broken) Put(context.Context, table.Item) (bool, error) { return false, table.ErrUnavailable }
