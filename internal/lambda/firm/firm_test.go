package firm_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/lambda/firm"
	"github.com/ringback/ringback/internal/lambda/lambdaenv"
)

// Reminders and alerts have to know the list, whichever of the two is asked.
func TestOwnNumbersAreReadAsInTheFirmsCountry(t *testing.T) {
	t.Parallel()
	set := map[string]string{
		"DEFAULT_COUNTRY": "US", "OWN_NUMBERS": "(415) 555-0100",
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
	}
	e := lambdaenv.New(func(name string) string { return set[name] })
	f := firm.Read(e)
	if err := e.Err(); err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{"+14155550100": true}
	if diff := cmp.Diff(want, f.Numbers.Own()); diff != "" {
		t.Errorf("numbers (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(want, f.Callers.Policy.Own); diff != "" {
		t.Errorf("callers (-want +got)\n%s", diff)
	}
}

// A country that is none says nothing of the numbers, which are read in it.
func TestAWrongCountryIsOneFault(t *testing.T) {
	t.Parallel()
	set := map[string]string{
		"DEFAULT_COUNTRY": "XX", "OWN_NUMBERS": "(415) 555-0100",
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
	}
	e := lambdaenv.New(func(name string) string { return set[name] })
	firm.Read(e)
	if err := e.Err(); err == nil || !strings.Contains(err.Error(), "DEFAULT_COUNTRY") || strings.Contains(err.Error(), "OWN_NUMBERS") {
		t.Errorf("error %v", err)
	}
}
