package awsclient_test

import (
	"testing"

	"github.com/ringback/ringback/internal/awsclient"
)

func TestTextOfAMember(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, text, want string }{
		{"there", `{"other":{"a":"nested"},"a":"b"}`, "b"},
		{"with escapes", `{"\u0061":"\"\u00e9"}`, `"é`},
		{"not there", `{"b":"a"}`, ""},
		{"not a string", `{"a":7}`, ""},
		{"no object", `["a","b"]`, ""},
		{"cut short", `{"a":"b`, ""},
		{"cut short before", `{"b":{`, ""},
		{"nothing", ``, ""},
	} {
		if got := awsclient.Text([]byte(tc.text), "a"); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestMemberIsAsItStands(t *testing.T) {
	t.Parallel()
	text := []byte(`{"a": 1.7E9 }`)
	got := awsclient.Member(text, "a")
	clear(text)
	if string(got) != "1.7E9" {
		t.Errorf("got %q", got)
	}
}
