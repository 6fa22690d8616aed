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

// transact submits an entity-group transaction and gives the ETag of its first
// entity, empty if the answer does not tell.
//
// aztables gives neither: a refused transaction comes as a ResponseError of
// status 202 without a code, an accepted one without ETags. Both are in the
// multipart answer, which is read here.
func transact(ctx context.Context, table *aztables.Client, actions ...aztables.TransactionAction) (etag string, err error) {
	var answer *http.Response
	_, err = table.SubmitTransaction(policy.WithCaptureResponse(ctx, &answer), actions, nil)
	var refused *azcore.ResponseError
	switch {
	case err == nil:
	case errors.As(err, &refused) && refused.StatusCode == http.StatusAccepted:
		answer = refused.RawResponse
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

// part is the answer to one action of a transaction. A refused transaction has
// one part only, whichever action was refused.
type part struct {
	status int
	code   string
	etag   string
}

// readAnswer reads the answer of a transaction. With an error come the parts
// that could be read.
func readAnswer(answer *http.Response) ([]part, error) {
	if answer == nil {
		return nil, errors.New("transaction without an answer")
	}
	body, err := runtime.Payload(answer)
	if err != nil {
		return nil, fmt.Errorf("read transaction's answer: %w", err)
	}
	return readParts(answer.Header.Get("Content-Type"), bytes.NewReader(body))
}

// readParts reads a multipart batch of one multipart changeset of HTTP
// answers.
func readParts(contentType string, body io.Reader) ([]part, error) {
	changesets, err := multipartOf(contentType, body)
	if err != nil {
		return nil, err
	}
	changeset, err := changesets.NextPart()
	if err != nil {
		return nil, fmt.Errorf("read transaction's answer: %w", err)
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
			return parts, fmt.Errorf("read transaction's answer: %w", err)
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
		return nil, fmt.Errorf("transaction's answer is not multipart but %q", contentType)
	}
	return multipart.NewReader(body, params["boundary"]), nil
}

func readPart(r io.Reader) (part, error) {
	answer, err := http.ReadResponse(bufio.NewReader(r), nil)
	if err != nil {
		return part{}, fmt.Errorf("read part of transaction's answer: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode < http.StatusOK {
		return part{}, fmt.Errorf("read part of transaction's answer: status %d", answer.StatusCode)
	}
	p := part{status: answer.StatusCode, etag: answer.Header.Get("ETag"), code: answer.Header.Get("x-ms-error-code")}
	var refusal struct {
		Error struct {
			Code string `json:"code"`
		} `json:"odata.error"`
	}
	// A body that is cut short has told its status at least.
	if body, _ := io.ReadAll(answer.Body); p.code == "" && json.Unmarshal(body, &refusal) == nil {
		p.code = refusal.Error.Code
	}
	return p, nil
}
