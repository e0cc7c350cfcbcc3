package apigateway

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime"
	"net"
	"net/http"
	"strings"
	"unicode/utf8"
)

// stage is the one that has no part in the path.
const stage = "$default"

// event is the form of a request in payload format 2.0.
type event struct {
	Version         string            `json:"version"`
	RouteKey        string            `json:"routeKey"`
	RawPath         string            `json:"rawPath"`
	RawQueryString  string            `json:"rawQueryString"`
	Cookies         []string          `json:"cookies,omitempty"`
	Headers         map[string]string `json:"headers"`
	QueryParameters map[string]string `json:"queryStringParameters,omitempty"`
	RequestContext  requestContext    `json:"requestContext"`
	PathParameters  map[string]string `json:"pathParameters,omitempty"`
	Body            string            `json:"body,omitempty"`
	Base64          bool              `json:"isBase64Encoded"`
}

type requestContext struct {
	AccountID    string      `json:"accountId"`
	APIID        string      `json:"apiId"`
	DomainName   string      `json:"domainName"`
	DomainPrefix string      `json:"domainPrefix"`
	HTTP         httpContext `json:"http"`
	RequestID    string      `json:"requestId"`
	RouteKey     string      `json:"routeKey"`
	Stage        string      `json:"stage"`
	Time         string      `json:"time"`
	TimeEpoch    int64       `json:"timeEpoch"`
}

type httpContext struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

// event writes a request as the function gets it.
func (a *API) event(r *http.Request, parameters map[string]string, body []byte) ([]byte, error) {
	now := a.Now().UTC()
	key := "ANY " + a.route.path
	prefix, _, _ := strings.Cut(a.Domain, ".")
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return nil, fmt.Errorf("httpapi: sender: %w", err)
	}
	e := event{
		Version:        "2.0",
		RouteKey:       key,
		RawPath:        r.URL.Path,
		RawQueryString: r.URL.RawQuery,
		Headers:        headers(r, a.Domain),
		PathParameters: parameters,
		RequestContext: requestContext{
			AccountID: "000000000000", APIID: prefix, DomainName: a.Domain, DomainPrefix: prefix,
			HTTP:      httpContext{r.Method, r.URL.Path, r.Proto, ip, r.UserAgent()},
			RequestID: rand.Text()[:15] + "=",
			RouteKey:  key, Stage: stage,
			Time: now.Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
		},
	}
	for _, cookie := range r.Cookies() {
		e.Cookies = append(e.Cookies, cookie.Name+"="+cookie.Value)
	}
	for name, values := range r.URL.Query() {
		if e.QueryParameters == nil {
			e.QueryParameters = make(map[string]string)
		}
		e.QueryParameters[name] = strings.Join(values, ",")
	}
	switch {
	case isText(r.Header.Get("Content-Type")) && utf8.Valid(body):
		e.Body = string(body)
	case len(body) > 0:
		e.Body, e.Base64 = base64.StdEncoding.EncodeToString(body), true
	}
	return json.Marshal(e)
}

// headers are those of a request, and what the gateway adds to them.
func headers(r *http.Request, domain string) map[string]string {
	all := make(map[string]string, len(r.Header)+3)
	for name, values := range r.Header {
		if name != "Cookie" {
			all[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	all["host"] = domain
	all["x-forwarded-port"], all["x-forwarded-proto"] = "443", "https"
	if r.ContentLength >= 0 {
		all["content-length"] = fmt.Sprint(r.ContentLength)
	}
	return all
}

// isText reports whether a media type is one of a text, as where none is named.
// A form is none: it is known to come in base64.
func isText(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	switch {
	case contentType == "" || err != nil:
		return true
	case strings.HasPrefix(media, "text/"), strings.HasSuffix(media, "+json"), strings.HasSuffix(media, "+xml"):
		return true
	}
	switch media {
	case "application/json", "application/xml", "application/javascript":
		return true
	}
	return false
}
