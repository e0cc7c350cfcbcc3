package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/table"
)

// Why a request is refused before its body is read.
var (
	errPath   = errors.New("no such path: webhooks are posted to /justcall/{token}")
	errMethod = errors.New("method not allowed: use POST")
	errToken  = errors.New("wrong or missing token")
)

// errSpill says that neither the table nor the spill took a delivery.
var errSpill = errors.New("spill")

// ErrBodyEncoding is for a gateway to set as [Request.BodyErr]: the body was
// announced as base64 and is not.
var ErrBodyEncoding = fmt.Errorf("%w: not valid base64", events.ErrPayload)

// statuses says what is answered to which error: the first row that matches.
// JustCall retries 5xx and takes any other 4xx as final, so a 4xx is only for
// what would be refused again. What matches no row is our own fault; where
// there is a spill, such a fault of the table's answers 200 or 503 like an
// outage, since the delivery is kept for when it is put right.
var statuses = []struct {
	err    error
	status int
	answer string // "" is the error's own text, which has no content in it
}{
	{errSpill, http.StatusServiceUnavailable, "not stored, send it again"},
	{errPath, http.StatusNotFound, ""},
	{errMethod, http.StatusMethodNotAllowed, ""},
	{errToken, http.StatusUnauthorized, "unauthorized"},
	{events.ErrSignature, http.StatusUnauthorized, "unauthorized"},
	{events.ErrPayload, http.StatusBadRequest, ""},
	{table.ErrTooLarge, http.StatusRequestEntityTooLarge, "delivery too large to store"},
	{table.ErrUnavailable, http.StatusServiceUnavailable, "not stored, send it again"},
	{credential.ErrUnavailable, http.StatusServiceUnavailable, "not stored, send it again"},
	{credential.ErrSecret, http.StatusServiceUnavailable, "not stored, send it again"},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "not stored, send it again"},
}

func status(err error) (code int, answer string) {
	for _, row := range statuses {
		if errors.Is(err, row.err) {
			return row.status, cmp.Or(row.answer, err.Error())
		}
	}
	return http.StatusInternalServerError, "not stored, internal error"
}
