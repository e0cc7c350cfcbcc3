package main_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ringback/ringback/internal/proof/awstest"
)

// What would be found out after a whole storm is found out before it, and before
// anything is made for it.
func TestAStormAsksTheWebhookFirst(t *testing.T) {
	var asked atomic.Int64
	status, answer := http.StatusOK, ""
	webhook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Method != http.MethodGet {
			t.Errorf("%s before it is known what is there", r.Method)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(webhook.Close)
	nobody := httptest.NewServer(http.NotFoundHandler())
	nobody.Close()
	for _, tc := range []struct {
		name, url string
		status    int
		answer    string
		want      string
		asked     int
	}{
		{name: "nobody listens", url: nobody.URL, want: "ask " + strings.TrimPrefix(nobody.URL, "http://") + ": "},
		{"another stack's token", webhook.URL, http.StatusUnauthorized, `{"error":"unauthorized"}`, "answers 401", 1},
		{"another path", webhook.URL, http.StatusNotFound, `{"message":"Not Found"}`, "/justcall/ and the stack's token", 1},
		{"something else that is there", webhook.URL, http.StatusOK, "<html>", "not as ringback does", 1},
		{"something else that leads elsewhere", webhook.URL, http.StatusFound, "", "answers 302", 1},
		{"a stack that is ill", webhook.URL, http.StatusInternalServerError, `{"message":"Internal Server Error"}`, "answers 500 Internal Server Error", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			awstest.New(t, token) // which complains of whoever asks for more than a stack
			t.Setenv("AWS_REGION", "eu-central-1")
			asked.Store(0)
			status, answer = tc.status, tc.answer
			got := program.Run(t, "--deliveries", "10", "--url", tc.url+"/justcall/"+token, "--table", "t", "--topic", "arn:aws:sns:eu-central-1:123456789012:a")
			got.Exits(t, 1)
			got.Complains(t, tc.want, "Nothing was posted")
			got.Hides(t, token)
			if n := int(asked.Load()); n != tc.asked {
				t.Errorf("asked %d times, want %d", n, tc.asked)
			}
		})
	}
}

// A person who does not wait for a service that never answers is not told what else may be wrong.
func TestAStormThatIsInterruptedWhileItAsksHasPostedNothing(t *testing.T) {
	webhook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"status":"probe"}`)
	}))
	t.Cleanup(webhook.Close)
	awstest.New(t, token)
	t.Setenv("AWS_REGION", "eu-central-1")
	asked := make(chan struct{}, 100)
	service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or the end of the sender is not seen
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(service.Close)
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", service.URL)
	b := program.Start(t, "--deliveries", "10", "--url", webhook.URL+"/justcall/"+token, "--table", "t", "--topic", "arn:aws:sns:eu-central-1:123456789012:a")
	<-asked
	got := b.Stop()
	got.Exits(t, 1)
	got.Complains(t, "nothing was posted: context canceled")
	got.Hides(t, "dynamodb:Query")
}
