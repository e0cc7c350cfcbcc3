package apigateway

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// event writes a request as the function gets it.
func (a *API) event(r *http.Request, body []byte) []byte {
	now := a.Now().UTC()
	prefix, _, _ := strings.Cut(a.Domain, ".")
	e := events.APIGatewayV2HTTPRequest{
		Version:               "2.0",
		RouteKey:              "ANY " + a.path,
		RawPath:               r.URL.Path,
		RawQueryString:        r.URL.RawQuery,
		Headers:               map[string]string{},
		QueryStringParameters: map[string]string{},
		PathParameters:        map[string]string{},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			AccountID: "000000000000", APIID: prefix, DomainName: a.Domain, DomainPrefix: prefix,
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: r.Method, Path: r.URL.Path, Protocol: r.Proto,
				SourceIP: netip.MustParseAddrPort(r.RemoteAddr).Addr().String(), UserAgent: r.UserAgent(),
			},
			RequestID: rand.Text()[:15] + "=",
			RouteKey:  "ANY " + a.path,
			Stage:     "$default",
			Time:      now.Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
		},
	}
	for i, value := range a.route.FindStringSubmatch(r.URL.Path)[1:] {
		e.PathParameters[a.route.SubexpNames()[i+1]] = value
	}
	for name, values := range r.URL.Query() {
		e.QueryStringParameters[name] = strings.Join(values, ",")
	}
	for name, values := range r.Header {
		e.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	delete(e.Headers, "cookie")
	for _, cookie := range r.Cookies() {
		e.Cookies = append(e.Cookies, cookie.Name+"="+cookie.Value)
	}
	e.Headers["host"] = a.Domain
	e.Headers["x-forwarded-port"], e.Headers["x-forwarded-proto"] = "443", "https"
	if r.ContentLength >= 0 {
		e.Headers["content-length"] = strconv.FormatInt(r.ContentLength, 10)
	}
	switch {
	case isText(r.Header.Get("Content-Type")) && utf8.Valid(body):
		e.Body = string(body)
	case len(body) > 0:
		e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	text, err := json.Marshal(e)
	if err != nil {
		panic(err) // it is made of strings
	}
	return text
}

// isText reports whether a media type is a text's; so is a missing one. A form's
// is not: API Gateway is known to send forms in base64.
func isText(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	switch media {
	case "application/json", "application/xml", "application/javascript":
		return true
	}
	return err != nil || strings.HasPrefix(media, "text/") ||
		strings.HasSuffix(media, "+json") || strings.HasSuffix(media, "+xml")
}
