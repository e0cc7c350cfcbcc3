package inbox

import (
	"crypto/rand"
	"crypto/subtle"
	"io"
	"net"
	"net/http"
	"strings"
)

// contentPolicy has the browser load nothing from elsewhere, and run nothing that a caller
// wrote.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard decides who may see the page.
type guard struct {
	token string
	// session is the value of the cookie, which is not the token: a cookie goes to every
	// port of this machine.
	session string
	cross   *http.CrossOriginProtection
}

func newGuard(token string) guard {
	return guard{token: token, session: rand.Text(), cross: http.NewCrossOriginProtection()}
}

// tokenParameter holds the token in the URL that is printed.
const tokenParameter = "token"

// sessionCookie is the name of the cookie. A browser has one set of cookies for all ports of
// a host, so each port has a name of its own.
func sessionCookie(r *http.Request) string {
	_, port, _ := net.SplitHostPort(r.Host)
	return "ringback_session_" + port
}

// admit reports whether a request may be answered. If not, it has been.
func (g *guard) admit(w http.ResponseWriter, r *http.Request) bool {
	header := w.Header()
	header.Set("Content-Security-Policy", contentPolicy) // guard 6: header.Del("Content-Security-Policy")
	header.Set("Cache-Control", "no-store")              // guard 6: header.Del("Cache-Control")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	// Nobody else is told from where a link was followed. With "no-referrer", browsers hide
	// from us, too, where a form was sent from (its Origin is then "null").
	header.Set("Referrer-Policy", "same-origin")

	// guard 6: if false {
	if !isLoopback(r.Host) {
		refuse(w, http.StatusMisdirectedRequest, "This page is for the machine on which it runs: open it as http://localhost or http://127.0.0.1, with the port.")
		return false
	}
	// guard 6: if false {
	if from := r.Header.Get("Sec-Fetch-Site"); from != "" && from != "none" && from != "same-origin" {
		refuse(w, http.StatusForbidden, "Another page led here. Open this one from its own address.")
		return false
	}
	// guard 6: if false {
	if g.cross.Check(r) != nil {
		refuse(w, http.StatusForbidden, "Another page sent this.")
		return false
	}
	if given := r.URL.Query().Get(tokenParameter); given != "" && r.Method == http.MethodGet {
		// guard 6: if false {
		if !same(given, g.token) {
			refuse(w, http.StatusForbidden, stale)
			return false
		}
		http.SetCookie(w, &http.Cookie{ //nolint:gosec // G124: there is no TLS on a loopback address
			Name: sessionCookie(r), Value: g.session, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		})
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return false
	}
	cookie, err := r.Cookie(sessionCookie(r))
	// guard 6: if _, _ = cookie, err; false {
	if err != nil || !same(cookie.Value, g.session) {
		refuse(w, http.StatusForbidden, stale)
		return false
	}
	return true
}

const stale = "Open the whole address that ringback printed when it was started, with the token at its end. Each start makes a new one; “ringback inbox” prints it again."

// same compares secrets.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// isLoopback reports whether a host, with or without a port, can only be this machine. The
// port may be another than ours, that of a tunnel.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func refuse(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, why+"\n") // the browser may be gone
}
