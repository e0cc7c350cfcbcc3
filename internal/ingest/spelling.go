package ingest

import (
	"iter"
	"net/url"
	"slices"
	"strings"
)

// spellings yields the URLs that the sender may have signed for a request with that
// token: each of our own URLs, the likeliest spelling first.
//
// JustCall signs the URL as somebody typed it, and posts to what its HTTP client
// makes of that. So all that may differ is what no client sends as it was typed:
// the letter case of scheme and host, the default port, a slash, blank or number
// sign at the end, and the query. Host, path and token are always ours. A URL in
// the body is never looked at: anyone can write one.
func (h *Handler) spellings(r Request, token string) iter.Seq[string] {
	return func(yield func(string) bool) {
		query := ""
		if r.Query != "" {
			query = "?" + r.Query
		}
		first := r.URL
		if h.WebhookURL != "" {
			configured, _, _ := strings.Cut(h.WebhookURL, "#")
			configured, _, _ = strings.Cut(configured, "?")
			first = strings.TrimRight(strings.TrimSpace(configured), "/ ") + "/" + token
		}
		if !yield(first + query) {
			return
		}
		// One of these matches only where a URL was typed in an unusual way, and none
		// where the signature is wrong.
		queries := slices.Compact([]string{query, "", "?"})
		own := make([]ownURL, 0, 2)
		for _, text := range []string{first, r.URL} {
			if u, ok := parseOwn(text, token); ok && !slices.Contains(own, u) {
				own = append(own, u)
			}
		}
		for _, query := range queries {
			for _, u := range own {
				if !u.spell(query, r.Headers["host"], yield) {
					return
				}
			}
		}
	}
}

// ownURL is one of our URLs: scheme and host in lower case, without the default port,
// and the path without anything behind the token.
type ownURL struct{ scheme, host, typed, path string }

// parseOwn reads a URL of ours. ok is false if it is none.
func parseOwn(text, token string) (u ownURL, ok bool) {
	parsed, err := url.Parse(strings.TrimSpace(text)) // its scheme is in lower case
	if err != nil || parsed.Host == "" {
		return ownURL{}, false
	}
	u.scheme = parsed.Scheme
	u.typed = strings.TrimSuffix(parsed.Host, defaultPorts[u.scheme])
	u.host = strings.ToLower(u.typed)
	path := strings.TrimRight(parsed.Path, behindToken)
	u.path = path[:strings.LastIndexByte(path, '/')+1] + token
	return u, true
}

var defaultPorts = map[string]string{"https": ":443", "http": ":80"}

// behindToken is what is no part of a token at its end.
const behindToken = "/ \t\r\n\u00a0"

// ends are what may follow the token when people copy a URL.
var ends = []string{"", " ", "#", "%20", "\n"}

// rareEnds are as ends, and looked for only in the likeliest spelling: each costs a
// signature.
var rareEnds = []string{"\t", "\r\n", "  ", "\u00a0", "%09", "%0A", "%0D%0A", "//"}

// spell yields the spellings of a URL, at most a few hundred. It returns false once
// yield does.
func (u ownURL) spell(query, hostHeader string, yield func(string) bool) bool {
	ports := []string{""}
	if port := defaultPorts[u.scheme]; port != "" && !strings.Contains(u.host, ":") {
		ports = append(ports, port)
	}
	schemes := []string{u.scheme, strings.ToUpper(u.scheme), capitalized(u.scheme)}
	for _, host := range u.hosts(hostHeader) {
		for _, scheme := range schemes {
			for _, port := range ports {
				for _, slash := range []string{"", "/"} {
					all := ends
					if host == u.typed && scheme == u.scheme && port == "" {
						all = slices.Concat(ends, rareEnds)
					}
					for _, end := range all {
						if !yield(scheme + "://" + host + port + u.path + slash + query + end) {
							return false
						}
					}
				}
			}
		}
	}
	return true
}

// hosts returns the host as it may have been typed: as it is configured, as the
// request has it, and in lower, upper and title case.
func (u ownURL) hosts(header string) []string {
	labels := strings.Split(u.host, ".")
	for i, label := range labels {
		labels[i] = capitalized(label)
	}
	title := strings.Join(labels, ".")
	labels[len(labels)-1] = strings.ToLower(labels[len(labels)-1])
	hosts := []string{u.typed, u.host, strings.ToUpper(u.host), capitalized(u.host), title, strings.Join(labels, ".")}
	header = strings.TrimSuffix(header, defaultPorts[u.scheme])
	// guard 6 ingest: if header != "" {
	if strings.EqualFold(header, u.host) {
		hosts = append(hosts, header)
	}
	unique := hosts[:0]
	for _, host := range hosts {
		if !slices.Contains(unique, host) {
			unique = append(unique, host)
		}
	}
	return unique
}

// capitalized returns ASCII text with its first letter in upper case.
func capitalized(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
