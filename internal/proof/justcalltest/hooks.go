package justcalltest

import (
	"crypto/rand"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/justcall"
)

// latestVersion is what a URL that is added now gets.
const latestVersion = "2.1"

// AddHook adds a webhook, as somebody else might.
func (s *Server) AddHook(typ events.Type, address string, status justcall.WebhookStatus) {
	s.Hooks = append(s.Hooks, justcall.Webhook{Type: typ, URL: address, ID: hookID(), Status: status, Version: latestVersion})
}

func (s *Server) listHooks(typ string) Row {
	data := make([]Row, 0, len(justcall.WebhookTypes))
	for _, t := range justcall.WebhookTypes {
		if typ == "" || typ == string(t) {
			data = append(data, s.hook(t))
		}
	}
	return Row{"count": len(data), "total_count": len(justcall.WebhookTypes), "current_page": 0, "per_page": len(justcall.WebhookTypes), "next_page_link": "", "prev_page_link": "", "data": data}
}

// statuses are the words for them.
var statuses = map[justcall.WebhookStatus]string{
	justcall.WebhookActive: "Active", justcall.WebhookWarning: "Warning", justcall.WebhookBlacklisted: "Blacklisted",
}

// hook returns a type's object.
func (s *Server) hook(typ events.Type) Row {
	urls := []Row{}
	counts := make(map[justcall.WebhookStatus]int)
	for _, h := range s.Hooks {
		if h.Type == typ {
			counts[h.Status]++
			urls = append(urls, Row{
				"webhook_url": h.URL, "url_id": h.ID, "api_version": h.Version,
				"datetime": s.Now().UTC().Format(time.DateTime), "status": statuses[h.Status],
			})
		}
	}
	return Row{
		"type": typ, "latest_api_version": latestVersion, "url_count": len(urls), "webhook_urls": urls,
		"warning_url_count": counts[justcall.WebhookWarning], "blacklisted_url_count": counts[justcall.WebhookBlacklisted],
	}
}

// Add does what a request to add a webhook asks for, and tells nobody.
func (s *Server) Add(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addHook(httptest.NewRecorder(), r)
}

// addHook adds a URL, once more if it is there already.
func (s *Server) addHook(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		URL  string      `json:"webhook_url"`
		Type events.Type `json:"type"`
	}
	text, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(text, &asked) != nil || asked.URL == "" || !slices.Contains(justcall.WebhookTypes, asked.Type) {
		fail(w, http.StatusForbidden, "error", "Validation failed")
		return
	}
	s.AddHook(asked.Type, asked.URL, justcall.WebhookActive)
	respond(w, s.hook(asked.Type))
}

func (s *Server) removeHook(w http.ResponseWriter, id string) {
	i := slices.IndexFunc(s.Hooks, func(h justcall.Webhook) bool { return h.ID == id })
	if i < 0 {
		fail(w, http.StatusNotFound, "error", "Not found")
		return
	}
	typ := s.Hooks[i].Type
	s.Hooks = slices.Delete(s.Hooks, i, i+1)
	respond(w, s.hook(typ))
}

// hookID returns 24 hexadecimal digits.
func hookID() string {
	id := make([]byte, 12)
	_, _ = rand.Read(id) // it never fails
	return hex.EncodeToString(id)
}
