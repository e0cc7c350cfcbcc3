package justcalltest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// listing is one of the API's lists.
type listing struct {
	rows          func(*Server) []Row
	id, total     string
	perPage, most int
	orders        []string // the words for order; the first sorts upwards
	date, clock   string   // members with the time, in UTC; "" if the list has no filter by time
	owner         bool     // shows only the key owner's rows, unless told otherwise
}

var lists = map[string]listing{
	"/v2.1/calls": {
		rows: func(s *Server) []Row { return s.Calls }, id: "id", total: "total_count",
		perPage: 20, most: 100, orders: []string{"asc", "desc"}, date: "call_date", clock: "call_time",
	},
	"/v2.1/sales_dialer/calls": {
		rows: func(s *Server) []Row { return s.DialerCalls }, id: "call_id", total: "total_count",
		perPage: 20, most: 100, orders: []string{"asc", "desc"}, date: "call_date", clock: "call_time",
	},
	"/v2.1/texts": {
		rows: func(s *Server) []Row { return s.Texts }, id: "id", total: "total_texts",
		perPage: 20, most: 100, orders: []string{"asc", "desc"}, date: "sms_date", clock: "sms_time",
	},
	"/v2.1/contacts": {
		rows: func(s *Server) []Row { return s.Contacts }, id: "id",
		perPage: 50, most: 500, orders: []string{"asc", "desc"}, owner: true,
	},
	"/v2.1/users": {
		rows: func(s *Server) []Row { return s.Users }, id: "id", total: "total_count",
		perPage: 50, most: 100, orders: []string{"asc", "desc"},
	},
	"/v2.1/phone-numbers": {
		rows: func(s *Server) []Row { return s.Lines }, id: "id", total: "total_count",
		perPage: 30, most: 100, orders: []string{"ASC", "DESC"},
	},
}

// OwnerID is the user whose key it is.
const OwnerID = 101

// list responds with a page. What it does not like is a 403, as documented.
func (s *Server) list(w http.ResponseWriter, r *http.Request, l listing) {
	query := r.URL.Query()
	page, pageOK := number(query, "page", 0)
	size, sizeOK := number(query, "per_page", l.perPage)
	order := query.Get("order")
	if !pageOK || !sizeOK || page < 0 || size < 1 || size > l.most || order != "" && !slices.Contains(l.orders, order) {
		fail(w, http.StatusForbidden, "error", "Validation failed")
		return
	}
	if s.MaxPerPage > 0 {
		size = min(size, s.MaxPerPage)
	}
	rows, ok := s.between(l, query)
	if !ok {
		fail(w, http.StatusForbidden, "error", "Validation failed")
		return
	}
	if l.owner && query.Get("across_team") != "true" {
		rows = slices.DeleteFunc(rows, func(r Row) bool { return r["agent_id"] != OwnerID })
	}
	if order != l.orders[0] {
		slices.Reverse(rows)
	}
	total := len(rows)
	if s.NoPage != 0 && page > 0 && page*size >= total {
		fail(w, s.NoPage, "error", "No such page")
		return
	}
	rows = rows[min(page*size, total):min((page+1)*size, total)]
	shown := make([]Row, len(rows))
	for i, row := range rows {
		shown[i] = s.shown(row)
	}
	// The links have no other parameters, as in every published example.
	link := func(page int, exists bool) any {
		if !exists {
			return ""
		}
		return "https://api.justcall.io" + r.URL.Path + "?page=" + strconv.Itoa(page) + "&per_page=" + strconv.Itoa(size)
	}
	envelope := Row{
		"status": "success", "count": len(rows), "current_page": page, "per_page": size, "data": shown,
		"next_page_link": link(page+1, (page+1)*size < total), "prev_page_link": link(page-1, page > 0),
	}
	if s.NoPerPage {
		delete(envelope, "per_page")
	}
	if l.total != "" && !s.NoTotals {
		envelope[l.total] = total
	}
	respond(w, envelope)
}

// between returns the rows in the time that a request asks for: as the account's clock
// shows it. Nothing says so if a bound is meant in another zone.
func (s *Server) between(l listing, query url.Values) (rows []Row, ok bool) {
	rows = slices.Clone(l.rows(s))
	for _, bound := range []struct {
		name    string
		outside func(at, bound time.Time) bool
	}{{"from_datetime", time.Time.Before}, {"to_datetime", time.Time.After}} {
		text := query.Get(bound.name)
		if text == "" || l.date == "" {
			continue
		}
		if len(text) == len(time.DateOnly) {
			text += " 00:00:00"
		}
		limit, err := time.ParseInLocation(time.DateTime, text, s.Zone)
		if err != nil {
			return nil, false
		}
		rows = slices.DeleteFunc(rows, func(r Row) bool {
			at, err := time.Parse(time.DateTime, r.text(l.date)+" "+r.text(l.clock))
			return err != nil || bound.outside(at, limit)
		})
	}
	return rows, true
}

func (r Row) text(name string) string {
	text, _ := r[name].(string)
	return text
}

func number(query url.Values, name string, unset int) (n int, ok bool) {
	text := query.Get(name)
	if text == "" {
		return unset, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}

// totals counts the calls of some days by the account's clock.
func (s *Server) totals(w http.ResponseWriter, query url.Values) {
	first, last := query.Get("from_date"), query.Get("to_date")
	for _, day := range []string{first, last} {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			fail(w, http.StatusForbidden, "error", "Validation failed")
			return
		}
	}
	counts := Row{
		"total_calls": 0, "outgoing_calls": 0, "incoming_calls": 0, "incoming_answered_calls": 0,
		"incoming_missed_calls": 0, "missed_abandoned_before_ringing": 0, "voicemails_received": 0,
	}
	count := func(name string, when bool) {
		if when {
			counts[name] = counts[name].(int) + 1
		}
	}
	for _, row := range s.Calls {
		if day := row.text("call_user_date"); day < first || day > last {
			continue
		}
		info, _ := s.shown(row)["call_info"].(Row)
		word := strings.ToLower(info.text("type"))
		incoming := info.text("direction") == "Incoming"
		abandoned := strings.HasPrefix(word, "abandoned")
		count("total_calls", true)
		count("outgoing_calls", !incoming)
		count("incoming_calls", incoming)
		count("incoming_answered_calls", incoming && word == "answered")
		count("incoming_missed_calls", incoming && (word == "missed" || abandoned))
		count("missed_abandoned_before_ringing", incoming && abandoned)
		count("voicemails_received", incoming && word == "voicemail")
	}
	respond(w, Row{"metadata": Row{"from_date": first, "to_date": last}, "summary": counts})
}
