package local_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/addressbook"
	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/bolt"
	"github.com/ringback/ringback/internal/table/schema"
)

// Files of a data folder, as documented.
const (
	secretFile = "secret.json"
	storeFile  = "events.db"
)

func TestTheTokenIsMadeOnceAndKept(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "new", "folder")
	stack := start(t, folder)
	token := tokenOf(stack)
	if len(token) < credential.MinTokenLength {
		t.Fatalf("a token of %d characters, want %d or more", len(token), credential.MinTokenLength)
	}
	if got := post(t, stack.URL, missed); got.status != http.StatusOK {
		t.Errorf("post: %+v, want 200", got)
	}
	for path, want := range map[string]os.FileMode{
		folder:                            os.ModeDir | 0o700,
		filepath.Join(folder, secretFile): 0o600,
		filepath.Join(folder, storeFile):  0o600,
	} {
		info, err := os.Stat(path)
		if err != nil {
			t.Error(err)
		} else if info.Mode() != want {
			t.Errorf("%s: mode %v, want %v", path, info.Mode(), want)
		}
	}
	if err := stack.Close(); err != nil {
		t.Fatal(err)
	}

	again := start(t, folder)
	if tokenOf(again) != token {
		t.Error("a restart made another token")
	}
	if got := post(t, again.URL, missed); got.Status != "duplicate" {
		t.Errorf("post after a restart: %+v, want a duplicate", got)
	}
	secret, err := local.ReadSecret(folder)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(credential.Secret{Token: token}, secret); diff != "" {
		t.Errorf("secret (-want +got):\n%s", diff)
	}
}

func TestTwoFoldersHaveTwoTokens(t *testing.T) {
	t.Parallel()
	one, two := start(t, t.TempDir()), start(t, t.TempDir())
	if tokenOf(one) == tokenOf(two) {
		t.Error("the same token twice")
	}
	elsewhere := strings.Replace(two.URL, tokenOf(two), tokenOf(one), 1)
	if got := post(t, elsewhere, missed); got.status != http.StatusUnauthorized {
		t.Errorf("the other folder's token: %+v, want 401", got)
	}
}

func TestAFolderWithoutASecretHasNotRun(t *testing.T) {
	t.Parallel()
	if _, err := local.ReadSecret(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("ReadSecret: %v, want %v", err, os.ErrNotExist)
	}
}

func TestAnUnusableSecretStopsTheStartAndIsNotShown(t *testing.T) {
	t.Parallel()
	const private = "PRIVATE"
	for _, tc := range []struct{ name, text, fault string }{
		{"empty, as a kill may leave it", "", `{"token": "…", "signing_secret": ""}`},
		{"cut short", `{"token": "` + private, `{"token": "…", "signing_secret": ""}`},
		{"not JSON", private, `{"token": "…", "signing_secret": ""}`},
		{"a short token", `{"token": "` + private + `", "signing_secret": ""}`, "shorter than 16"},
		{"no token", `{"signing_secret": "` + private + `"}`, "token is missing"},
		{"a token that is no part of a path", `{"token": "` + private + `/0123456789abcdef"}`, "characters other than"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			path := filepath.Join(folder, secretFile)
			writeFile(t, path, tc.text)
			_, err := local.Start(t.Context(), local.Config{Folder: folder, Address: anyPort}, logscan.Logger(t))
			if !errors.Is(err, credential.ErrSecret) {
				t.Fatalf("Start: %v, want %v", err, credential.ErrSecret)
			}
			for _, want := range []string{path, tc.fault} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), private) {
				t.Errorf("error %q has content in it", err)
			}
			if text := readFile(t, path); text != tc.text {
				t.Error("the file was overwritten")
			}
			if _, err := local.ReadSecret(folder); !errors.Is(err, credential.ErrSecret) {
				t.Errorf("ReadSecret: %v, want %v", err, credential.ErrSecret)
			}
		})
	}
}

func TestASigningSecretPutInByHandIsAskedFor(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := start(t, folder).Close(); err != nil {
		t.Fatal(err)
	}
	secret, err := local.ReadSecret(folder)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(credential.Secret{Token: secret.Token, SigningSecret: signingSecret})
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(folder, secretFile), string(text))

	stack := start(t, folder)
	if tokenOf(stack) != secret.Token {
		t.Error("another token")
	}
	now := time.Now()
	for _, tc := range []struct {
		name    string
		body    string
		headers http.Header
		url     string // where to post; by default the stack's
		status  int
	}{
		{name: "format B, unsigned", body: missedB, status: 401},
		{name: "format B, signed with another secret", body: missedB, headers: sign("another", stack.URL, now), status: 401},
		{name: "format B, signed for another URL", body: missedB, headers: sign(signingSecret, stack.URL+"0", now), status: 401},
		{name: "format B, signed long ago", body: missedB, headers: sign(signingSecret, stack.URL, now.Add(-4*time.Hour)), status: 401},
		{name: "format B, signed", body: missedB, headers: sign(signingSecret, stack.URL, now), status: 200},
		{
			name: "format B, signed, with a query in the URL", body: missedB,
			headers: sign(signingSecret, stack.URL+"?source=just%20call&n=1", now), url: stack.URL + "?source=just%20call&n=1", status: 200,
		},
		{name: "format B, signed without the query of the URL", body: missedB, headers: sign(signingSecret, stack.URL, now), url: stack.URL + "?n=1", status: 200},
		{name: "format A has no signature", body: missed, status: 200},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if tc.url == "" {
				tc.url = stack.URL
			}
			if got := send(t, http.MethodPost, tc.url, tc.headers, strings.NewReader(tc.body)); got.status != tc.status {
				t.Errorf("got %+v, want %d", got, tc.status)
			}
		})
	}
}

func TestOneProcessPerFolder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	stack := start(t, folder)
	_, err := local.Start(t.Context(), local.Config{Folder: folder, Address: anyPort}, logscan.Logger(t))
	if !errors.Is(err, bolt.ErrLocked) || !strings.Contains(err.Error(), folder) {
		t.Errorf("second Start: %v, want %v and the folder", err, bolt.ErrLocked)
	}
	if got := post(t, stack.URL, missed); got.Status != "stored" {
		t.Errorf("post to the first: %+v, want it stored", got)
	}
}

// If two processes start in a new folder at once, the one that does not get the
// lock must not change the other's token.
func TestOnlyWhoHoldsTheFolderMakesItsSecret(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	store, err := bolt.Open(filepath.Join(folder, storeFile), schema.Events())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // nothing was written
	if _, err := local.Start(t.Context(), local.Config{Folder: folder, Address: anyPort}, logscan.Logger(t)); !errors.Is(err, bolt.ErrLocked) {
		t.Fatalf("Start: %v, want %v", err, bolt.ErrLocked)
	}
	if _, err := local.ReadSecret(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("ReadSecret: %v, want %v: the start that was refused made a secret", err, os.ErrNotExist)
	}
}

func TestAnAddressInUseIsAnErrorThatFreesTheFolder(t *testing.T) {
	t.Parallel()
	var listen net.ListenConfig
	listener, err := listen.Listen(t.Context(), "tcp", anyPort)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // nothing was accepted
	folder := t.TempDir()
	_, err = local.Start(t.Context(), local.Config{Folder: folder, Address: listener.Addr().String()}, logscan.Logger(t))
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("Start: %v, want %v", err, syscall.EADDRINUSE)
	}
	start(t, folder)
}

func TestStartNamesWhatItCannotUse(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	writeFile(t, file, "")
	for _, tc := range []struct{ name, folder, address, want string }{
		{"a file for a folder", file, anyPort, file},
		{"an address without a port", filepath.Join(folder, "data"), "localhost", "localhost"},
		{"a port that is none", filepath.Join(folder, "port"), "127.0.0.1:99999", "99999"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			stack, err := local.Start(t.Context(), local.Config{Folder: tc.folder, Address: tc.address}, logscan.Logger(t))
			if err == nil {
				t.Cleanup(func() { _ = stack.Close() })
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Start: %v, want an error that names %s", err, tc.want)
			}
		})
	}
}

func TestWaitReturnsWhenTheContextEnds(t *testing.T) {
	t.Parallel()
	stack := start(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	waited := make(chan error, 1)
	go func() { waited <- stack.Wait(ctx) }()
	cancel()
	if err := <-waited; err != nil {
		t.Errorf("Wait: %v, want nil", err)
	}
}

func TestWaitReturnsTheErrorThatEndsServing(t *testing.T) {
	t.Parallel()
	stack := start(t, t.TempDir())
	if err := stack.Close(); err != nil {
		t.Fatal(err)
	}
	if err := stack.Wait(t.Context()); !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Wait: %v, want %v", err, http.ErrServerClosed)
	}
}

// anyPort is an address with a free port.
const anyPort = "127.0.0.1:0"

const signingSecret = "signing-secret-of-the-account"

// Events with a missed call in both formats.
const (
	missed  = `{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","data":{"call_id":"call_1","direction":"inbound","from":"+14155558765","to":"+14155551234"}}`
	missedB = `{"type":"call.missed","request_id":"01KKXGP6DQG3JM67BC8CAWYFAD","data":{"call_sid":"CA01","call_date":"2026-03-12","call_time":"14:58:00","contact_number":"14155550144"}}`
)

// start starts a stack in a folder; the end of the test closes it.
func start(t *testing.T, folder string) *local.Stack {
	t.Helper()
	return startWith(t, local.Config{Folder: folder})
}

func tokenOf(stack *local.Stack) string {
	return stack.URL[strings.LastIndexByte(stack.URL, '/')+1:]
}

// reply is the stack's answer.
type reply struct {
	status int
	header http.Header
	body   string

	Status string `json:"status"`
	Key    string `json:"key"`
}

// client uses no proxy.
var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}

func post(t *testing.T, url, body string) reply {
	t.Helper()
	return send(t, http.MethodPost, url, nil, strings.NewReader(body))
}

func send(t *testing.T, method, url string, headers http.Header, body io.Reader) reply {
	t.Helper()
	r, err := try(t.Context(), method, url, headers, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func try(ctx context.Context, method, url string, headers http.Header, body io.Reader) (reply, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return reply{}, err
	}
	if headers != nil {
		req.Header = headers
	}
	resp, err := client.Do(req)
	if err != nil {
		return reply{}, err
	}
	text, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return reply{}, err
	}
	r := reply{status: resp.StatusCode, header: resp.Header, body: string(text)}
	if len(text) > 0 {
		err = json.Unmarshal(text, &r)
	}
	return r, err
}

// sign returns the headers of a call.missed of format B.
func sign(secret, url string, at time.Time) http.Header {
	timestamp := at.UTC().Format(time.DateTime)
	headers := make(http.Header)
	headers.Set(events.HeaderSignature, events.Sign(secret, url, events.TypeCallMissed, timestamp))
	headers.Set(events.HeaderSignatureVersion, events.SignatureVersion)
	headers.Set(events.HeaderRequestTimestamp, timestamp)
	return headers
}

func TestTheAddressBookFollowsTheContactEvents(t *testing.T) {
	t.Parallel()
	stack := start(t, t.TempDir())
	for _, step := range []struct {
		body string
		want addressbook.Entry
	}{
		{`{"event":"contact.created","timestamp":"2026-03-12T14:45:00Z","data":{"contact_id":98765,"first_name":"Jordan","last_name":"Lee","phone":"+14155559876"}}`, addressbook.Entry{Known: true, Name: "Jordan Lee"}},
		{`{"event":"contact.updated","timestamp":"2026-03-12T14:44:00Z","data":{"contact_id":98765,"first_name":"J."}}`, addressbook.Entry{Known: true, Name: "Jordan Lee"}},
		{`{"type":"jc.contact_status_updated","request_id":"01KKYQVWNFHX2TBKZHYF5SG2EQ","data":{"id":98765,"name":null,"status":{"blacklist":1}}}`, addressbook.Entry{Known: true, Name: "Jordan Lee", Blocked: true}},
		{`{"event":"contact.deleted","timestamp":"2026-03-20T14:45:00Z","data":{"contact_id":98765}}`, addressbook.Entry{}},
	} {
		if got := post(t, stack.URL, step.body); got.status != http.StatusOK {
			t.Fatalf("post: %+v, want 200", got)
		}
		if err := stack.Settled(t.Context()); err != nil {
			t.Fatal(err)
		}
		page, err := stack.Store.Query(t.Context(), table.Query{Partition: table.CallerPartition("+14155559876")})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, addressbook.Read(page.Items)); diff != "" {
			t.Errorf("after %s (-want +got):\n%s", step.body, diff)
		}
	}
}

// partition returns the sort keys of a partition's events.
func partition(t *testing.T, store table.Store, pk string) (sortKeys []string) {
	t.Helper()
	for item, err := range table.All(t.Context(), store, table.Query{Partition: pk, SortPrefix: "EVENT#"}) {
		if err != nil {
			t.Fatal(err)
		}
		sortKeys = append(sortKeys, table.Text(item, table.SK))
	}
	return sortKeys
}

// rejections returns today's rejected items.
func rejections(t *testing.T, store table.Store) (items []table.Item) {
	t.Helper()
	for _, day := range []time.Time{time.Now().Add(-time.Minute), time.Now()} {
		for item, err := range table.All(t.Context(), store, table.Query{Partition: table.RejectedPartition(day)}) {
			if err != nil {
				t.Fatal(err)
			}
			items = append(items, item)
		}
		if table.RejectedPartition(day) == table.RejectedPartition(time.Now()) {
			break
		}
	}
	return items
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// JustCall signs the URL it posts to, which is the tunnel's.
func TestBehindATunnelItsURLIsTheOneThatIsSigned(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	writeFile(t, filepath.Join(folder, secretFile), `{"token":"0123456789abcdef","signing_secret":"`+signingSecret+`"}`)
	const public = "https://tunnel.example.com/justcall"
	stack, err := local.Start(t.Context(), local.Config{
		Folder: folder, Address: anyPort, WebhookURL: public,
	}, logscan.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stack.Close() })
	for url, want := range map[string]int{
		public + "/0123456789abcdef":                                200,
		"HTTPS://Tunnel.example.com:443/justcall/0123456789abcdef/": 200,
		stack.URL: 200,
		"http://other.example.com/justcall/0123456789abcdef": 401,
	} {
		if got := send(t, http.MethodPost, stack.URL, sign(signingSecret, url, time.Now()), strings.NewReader(missedB)); got.status != want {
			t.Errorf("signed for %s: got %+v, want %d", url, got, want)
		}
	}
}

// Anyone can write a host into a request.
func TestPromise6_BehindATunnelAForeignHostIsNotOurs(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	writeFile(t, filepath.Join(folder, secretFile), `{"token":"0123456789abcdef","signing_secret":"`+signingSecret+`"}`)
	stack, err := local.Start(t.Context(), local.Config{
		Folder: folder, Address: anyPort, WebhookURL: "https://tunnel.example.com/justcall",
	}, logscan.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stack.Close() })
	_, port, _ := net.SplitHostPort(stack.Address)
	for host, want := range map[string]int{
		"attacker.example": 401, "attacker.example:" + port: 401, "127.0.0.1": 401,
		"localhost:" + port: 200, "LOCALHOST:" + port: 200, stack.Address: 200,
	} {
		signature := sign(signingSecret, "http://"+host+"/justcall/0123456789abcdef", time.Now())
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, stack.URL, strings.NewReader(missedB))
		if err != nil {
			t.Fatal(err)
		}
		req.Host, req.Header = host, signature
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("host %s: %d, want %d", host, resp.StatusCode, want)
		}
	}
}

// Only a log line is left of a body that is too large, so it must be right.
func TestTheSizeOfWhatIsTooLargeIsItsOwn(t *testing.T) {
	t.Parallel()
	log := logscan.Writer(t)
	stack, err := local.Start(t.Context(), local.Config{
		Folder: t.TempDir(), Address: anyPort,
	}, log.Logger())
	if err != nil {
		t.Fatal(err)
	}
	body := strings.Repeat("7", 70_000_000)
	if got := send(t, http.MethodPost, stack.URL, nil, strings.NewReader(body)); got.status != 413 {
		t.Errorf("got %+v, want 413", got)
	}
	if err := stack.Close(); err != nil {
		t.Error(err)
	}
	for _, want := range []string{`"bytes":70000000`, `"digest":"` + table.BodyDigest([]byte(body)) + `"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %s: %s", want, log)
		}
	}
}

func TestASettingAcceptsWhatIsUnsigned(t *testing.T) {
	t.Parallel()
	const legacy = `{"data":{"type":"missed","call_id":"c1"}}`
	for accept, want := range map[bool]int{false: 401, true: 200} {
		folder := t.TempDir()
		writeFile(t, filepath.Join(folder, secretFile), `{"token":"0123456789abcdef","signing_secret":"`+signingSecret+`"}`)
		stack, err := local.Start(t.Context(), local.Config{Folder: folder, Address: anyPort, AcceptUnsigned: accept}, logscan.Logger(t))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = stack.Close() })
		if got := post(t, stack.URL, legacy); got.status != want {
			t.Errorf("AcceptUnsigned %v: %d, want %d", accept, got.status, want)
		}
	}
}
