package credential_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/credential"
)

const (
	current  = "current-token-0123456789"
	previous = "previous-token-0123456789"
)

func TestParseReadsASecret(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, text string
		want       credential.Secret
	}{
		{
			"token and signing secret",
			`{"token":"` + current + `","signing_secret":"s3cr3t"}`,
			credential.Secret{Token: current, SigningSecret: "s3cr3t"},
		},
		{
			"empty signing secret",
			`{"token": "` + current + `", "signing_secret": ""}`,
			credential.Secret{Token: current},
		},
		{
			"no signing secret",
			`{"token":"` + current + `"}`,
			credential.Secret{Token: current},
		},
		{
			"the shortest token",
			`{"token":"` + strings.Repeat("x", credential.MinTokenLength) + `"}`,
			credential.Secret{Token: strings.Repeat("x", credential.MinTokenLength)},
		},
		{
			"every character that a token may have",
			`{"token":"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"}`,
			credential.Secret{Token: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := credential.Parse(tc.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("secret (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseSaysWhatIsWrongWithoutTheContent(t *testing.T) {
	t.Parallel()
	const private = "PRIVATE" // stands in every text below
	for _, tc := range []struct{ name, text, fault string }{
		{"nothing", "", "form"},
		{"not JSON, but the bare token", private + "-token-0123456789", "form"},
		{"not an object", `"` + private + `-token-0123456789"`, "form"},
		{"a list", `["` + private + `"]`, "form"},
		{"cut short", `{"token":"` + private + `-token-01234`, "form"},
		{"more behind the end", `{"token":"` + private + `-token-0123456789"} x`, "form"},
		{"a token that is a number", `{"token":1234567890123456789,"note":"` + private + `"}`, "form"},
		{"a signing secret that is an object", `{"token":"` + private + `-token-0123456789","signing_secret":{}}`, "form"},
		{"two tokens", `{"token":"` + private + `-token-0123456789","token":"` + current + `"}`, "form"},
		{"null", `null`, "token"},
		{"no token", `{"signing_secret":"` + private + `"}`, "token is missing"},
		{"an empty token", `{"token":"","signing_secret":"` + private + `"}`, "token is missing"},
		{"a null token", `{"token":null,"signing_secret":"` + private + `"}`, "token is missing"},
		{"a token under another name", `{"Token":"` + private + `-token-0123456789"}`, "no other members"},
		{"a misspelt signing secret", `{"token":"` + current + `","signingSecret":"` + private + `"}`, "no other members"},
		{"a signing secret with a line end", `{"token":"` + current + `","signing_secret":"` + private + `\n"}`, "white space"},
		{"a token that is one too short", `{"token":"` + private + "-2345678"[:credential.MinTokenLength-len(private)-1] + `"}`, "shorter than 16"},
		{"a token with a slash", `{"token":"` + private + `/token-0123456789"}`, "characters"},
		{"a token with a space at its end", `{"token":"` + private + `-token-0123456789 "}`, "characters"},
		{"a token with a character in the middle", `{"token":"` + private + `%token-0123456789"}`, "characters"},
		{"a token that is not ASCII", `{"token":"` + private + `-tokén-0123456789"}`, "characters"},
		{"a token with a NUL", `{"token":"` + private + `-token-0123456789\u0000"}`, "characters"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := credential.Parse(tc.text)
			if !errors.Is(err, credential.ErrSecret) {
				t.Fatalf("Parse: %+v, %v, want ErrSecret", got, err)
			}
			if got != (credential.Secret{}) {
				t.Error("a secret beside an error")
			}
			if !strings.Contains(err.Error(), tc.fault) {
				t.Errorf("error %q does not name the fault %q", err, tc.fault)
			}
			if strings.Contains(err.Error(), private) {
				t.Errorf("error %q has content in it", err)
			}
		})
	}
}

func TestAuthorizeAcceptsExactlyTheTokensOfTheVersions(t *testing.T) {
	t.Parallel()
	both := credential.Secrets{{Token: current}, {Token: previous}}
	for _, tc := range []struct {
		name    string
		secrets credential.Secrets
		token   string
		want    bool
	}{
		{"the current one", both, current, true},
		{"the previous one", both, previous, true},
		{"both versions have the same token", credential.Secrets{{Token: current}, {Token: current}}, current, true},
		{"the previous one, when it is no longer valid", both[:1], previous, false},
		{"another one", both, "another-token-0123456789", false},
		{"none", both, "", false},
		{"the beginning of one", both, current[:len(current)-1], false},
		{"one with more behind it", both, current + "0", false},
		{"one in capitals", both, strings.ToUpper(current), false},
		{"one behind the other", both, current + previous, false},
		{"a signing secret is no token", credential.Secrets{{Token: current, SigningSecret: "signing-secret-0123"}}, "signing-secret-0123", false},
		{"no versions", nil, current, false},
		{"no versions and no token", nil, "", false},
		{"a megabyte", both, strings.Repeat(current, 1<<20/len(current)), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := tc.secrets.Authorize(tc.token); got != tc.want {
				t.Errorf("Authorize: got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestPromise6_AVersionWithoutATokenAuthorizesNobody(t *testing.T) {
	t.Parallel()
	if (credential.Secrets{{Token: ""}, {Token: previous}}).Authorize("") {
		t.Error("an empty token opens a version that has none")
	}
}

func TestSigningReturnsSecretsOnlyIfTheCurrentVersionHasOne(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		secrets credential.Secrets
		want    []string
	}{
		{"no versions", nil, nil},
		{"none configured", credential.Secrets{{Token: current}}, nil},
		{"one", credential.Secrets{{Token: current, SigningSecret: "new"}}, []string{"new"}},
		{"both", credential.Secrets{{current, "new"}, {previous, "old"}}, []string{"new", "old"}},
		{"signatures since the rotation", credential.Secrets{{current, "new"}, {previous, ""}}, []string{"new"}},
		{"no signatures since the rotation", credential.Secrets{{current, ""}, {previous, "old"}}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, tc.secrets.Signing()); diff != "" {
				t.Errorf("signing secrets (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAFixedSecretNeverChanges(t *testing.T) {
	t.Parallel()
	fixed := credential.Fixed{Token: current, SigningSecret: "s"}
	want := credential.Secrets{{Token: current, SigningSecret: "s"}}
	if diff := cmp.Diff(want, fixed.Secrets(t.Context())); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
	if got, err := fixed.Refresh(t.Context()); got != nil || err != nil {
		t.Errorf("Refresh: %v, %v, want nothing newer", got, err)
	}
}
