package state

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
)

// transact submits an entity-group transaction. It returns the ETag of the first
// entity, empty if the answer does not contain it.
//
// aztables reports neither error codes nor ETags of transactions: a failed
// transaction is a ResponseError with status 202 and no code. Both are in the
// multipart answer, which transact parses.
func transact(ctx context.Context, table *aztables.Client, actions ...aztables.TransactionAction) (etag string, err error) {
	var answer *http.Response
	_, err = table.SubmitTransaction(policy.WithCaptureResponse(ctx, &answer), actions, nil)
	var responseErr *azcore.ResponseError
	switch {
	case err == nil:
	case errors.As(err, &responseErr) && responseErr.StatusCode == http.StatusAccepted:
		answer = responseErr.RawResponse
	default:
		return "", err
	}
	parts, readErr := readAnswer(answer)
	for _, p := range parts {
		if p.status >= http.StatusBadRequest {
			return "", &tableError{status: p.status, code: p.code, err: err}
		}
	}
	if err != nil {
		return "", errors.Join(err, readErr)
	}
	if len(parts) > 0 {
		etag = parts[0].etag
	}
	return etag, nil
}

// part is the answer to one action of a transaction. A failed transaction has
// only one part, for the action that failed.
type part struct {
	status int
	code   string
	etag   string
}

// readAnswer parses the answer to a transaction. After an error it also returns
// the parts before the error.
func readAnswer(answer *http.Response) ([]part, error) {
	if answer == nil {
		return nil, errors.New("transaction has no answer")
	}
	body, err := runtime.Payload(answer)
	if err != nil {
		return nil, fmt.Errorf("read transaction answer: %w", err)
	}
	return readParts(answer.Header.Get("Content-Type"), bytes.NewReader(body))
}

// readParts parses a multipart batch that contains one multipart changeset of
// HTTP answers.
func readParts(contentType string, body io.Reader) ([]part, error) {
	changesets, err := multipartOf(contentType, body)
	if err != nil {
		return nil, err
	}
	changeset, err := changesets.NextPart()
	if err != nil {
		return nil, fmt.Errorf("read transaction answer: %w", err)
	}
	answers, err := multipartOf(changeset.Header.Get("Content-Type"), changeset)
	if err != nil {
		return nil, err
	}
	var parts []part
	for {
		next, err := answers.NextPart()
		if errors.Is(err, io.EOF) {
			return parts, nil
		}
		if err != nil {
			return parts, fmt.Errorf("read transaction answer: %w", err)
		}
		p, err := readPart(next)
		if err != nil {
			return parts, err
		}
		parts = append(parts, p)
	}
}

func multipartOf(contentType string, body io.Reader) (*multipart.Reader, error) {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil || params["boundary"] == "" {
		return nil, fmt.Errorf("transaction answer has content type %q; want multipart", contentType)
	}
	return multipart.NewReader(body, params["boundary"]), nil
}

func readPart(r io.Reader) (part, error) {
	answer, err := http.ReadResponse(bufio.NewReader(r), nil)
	if err != nil {
		return part{}, fmt.Errorf("read part of transaction answer: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode < http.StatusOK {
		return part{}, fmt.Errorf("read part of transaction answer: unexpected status %d", answer.StatusCode)
	}
	p := part{status: answer.StatusCode, etag: answer.Header.Get("ETag"), code: answer.Header.Get("x-ms-error-code")}
	var failure struct {
		Error struct {
			Code string `json:"code"`
		} `json:"odata.error"`
	}
	// If the body is incomplete, the status is still known.
	if body, _ := io.ReadAll(answer.Body); p.code == "" && json.Unmarshal(body, &failure) == nil {
		p.code = failure.Error.Code
	}
	return p, nil
}
