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

	// errPutOff: the token may be that of a rotation of which we do not know yet.
	errPutOff = errors.New("unknown token, too early to read the secret again")
)

// errSpill: neither the table nor the spill took a delivery.
var errSpill = errors.New("spill")

// ErrBodyEncoding is what a gateway sets as [Request.BodyErr] if a body is
// declared to be base64 and is not.
var ErrBodyEncoding = fmt.Errorf("%w: not valid base64", events.ErrPayload)

// statuses maps errors to answers; the first row that matches counts. JustCall
// retries 5xx and takes any other 4xx as final, so a 4xx is only for what would be
// refused again. What matches no row is a bug or a fault of the setup: 500. With a
// spill, such a fault of the table is treated like an outage. The delivery is
// spilled and answered 200, or 503 if the spill fails as well.
var statuses = []struct {
	err    error
	status int
	answer string // "" for the error's own text, which contains no content
}{
	// guard 1 ingest webhook e2e (WhatTheSpill|Answers503WhenTheQueue|200Means|WithTheQueue): {errSpill, http.StatusBadRequest, "not stored, send it again"},
	{errSpill, http.StatusServiceUnavailable, "not stored, send it again"},
	{errPath, http.StatusNotFound, ""},
	{errMethod, http.StatusMethodNotAllowed, ""},
	{errToken, http.StatusUnauthorized, "unauthorized"},
	// guard 7 ingest: {errPutOff, http.StatusUnauthorized, "not stored, send it again"},
	{errPutOff, http.StatusServiceUnavailable, "not stored, send it again"},
	{events.ErrSignature, http.StatusUnauthorized, "unauthorized"},
	{events.ErrPayload, http.StatusBadRequest, ""},
	{table.ErrTooLarge, http.StatusRequestEntityTooLarge, "delivery too large to store"},
	// guard 1 ingest webhook e2e (OurFault|Answers503WhenTheTable|200Means): {table.ErrUnavailable, http.StatusBadRequest, "not stored, send it again"},
	{table.ErrUnavailable, http.StatusServiceUnavailable, "not stored, send it again"},
	// guard 1: {credential.ErrUnavailable, http.StatusUnauthorized, "not stored, send it again"},
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
	// guard 1 ingest e2e (OurFault|200Means): return http.StatusBadRequest, "not stored, internal error"
	return http.StatusInternalServerError, "not stored, internal error"
}
