package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"azbackupflow/docs/schemas"
	"azbackupflow/internal/declaration"
)

// NotVerifiedError is the error of a file that is not the evidence of a drill, as
// it was signed.
type NotVerifiedError struct {
	// Problem describes what is wrong, Want what is right.
	Problem, Want string
	// UnknownKey is set if the only problem known is that none of the keys signed
	// the file. It may be genuine, and signed by an earlier key.
	UnknownKey bool
}

func (e *NotVerifiedError) Error() string { return e.Problem + "; want " + e.Want }

// Verified is evidence whose signature is valid.
type Verified struct {
	Evidence Evidence
	// KeyID is the ID of the key that signed it.
	KeyID string
}

// wantFile describes a valid file.
const wantFile = "the file of a drill, unchanged since it was signed"

// Verify verifies the signature of a file by one of the keys, and decodes the
// evidence. The error is a *NotVerifiedError if the file was changed, was signed
// by another key, or is not the evidence of a drill.
func Verify(file string, raw []byte, keys []PublicKey) (Verified, error) {
	var parts struct {
		Evidence  json.RawMessage `json:"evidence"`
		Signature string          `json:"signature"`
	}
	if err := json.Unmarshal(raw, &parts); err != nil || len(parts.Evidence) == 0 || parts.Signature == "" {
		return Verified{}, &NotVerifiedError{Problem: "is not a JSON object with the fields evidence and signature", Want: wantFile}
	}
	signature, err := jose.ParseDetached(parts.Signature, parts.Evidence, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || len(signature.Signatures) != 1 {
		return Verified{}, &NotVerifiedError{Problem: "the signature is damaged, or not of the algorithm ES256", Want: wantFile}
	}
	header := signature.Signatures[0].Protected
	if header.ExtraHeaders[jose.HeaderType] != mediaType {
		return Verified{}, &NotVerifiedError{Problem: "the signature is not one of the evidence of a drill", Want: wantFile}
	}
	i := slices.IndexFunc(keys, func(k PublicKey) bool { return k.ID == header.KeyID })
	if i < 0 {
		return Verified{}, &NotVerifiedError{
			Problem: fmt.Sprintf("the signature names the key %q", header.KeyID), Want: "one of the trusted keys: " + keyIDs(keys), UnknownKey: true,
		}
	}
	if _, err := signature.Verify(keys[i].key); err != nil {
		return Verified{}, &NotVerifiedError{Problem: "the file was changed after it was signed, or the signature is of another file", Want: wantFile}
	}
	// The signature does not cover the bytes around the evidence, and has several
	// encodings.
	canonical, err := signature.DetachedCompactSerialize()
	if err != nil || !bytes.Equal(assemble(parts.Evidence, canonical), raw) {
		return Verified{}, &NotVerifiedError{Problem: "the text around the evidence was changed after it was signed", Want: wantFile}
	}
	e, err := decode(file, parts.Evidence)
	if err != nil {
		return Verified{}, &NotVerifiedError{Problem: "the signature is valid, but the evidence is not: " + err.Error(), Want: "evidence of version 1"}
	}
	return Verified{Evidence: e, KeyID: header.KeyID}, nil
}

func keyIDs(keys []PublicKey) string {
	ids := make([]string, len(keys))
	for i, k := range keys {
		ids[i] = k.ID
	}
	return strings.Join(ids, ", ")
}

// Decode decodes the evidence in a file without verifying the signature. It returns
// an error if the evidence violates the schema or contradicts itself.
func Decode(file string, raw []byte) (Evidence, error) {
	var parts struct {
		Evidence json.RawMessage `json:"evidence"`
	}
	if err := json.Unmarshal(raw, &parts); err != nil || len(parts.Evidence) == 0 {
		return Evidence{}, errors.New("is not a JSON object with the fields evidence and signature; want " + wantFile)
	}
	return decode(file, parts.Evidence)
}

// decode decodes evidence, and returns an error if it violates the schema or
// contradicts itself.
func decode(file string, payload []byte) (Evidence, error) {
	document, err := declaration.Parse(file, payload)
	if err != nil {
		return Evidence{}, err
	}
	schema, err := declaration.Compile(schemas.Evidence())
	if err != nil {
		return Evidence{}, err
	}
	if violations := schema.Validate(document); len(violations) > 0 {
		invalid := &declaration.Invalid{File: file}
		for _, v := range violations {
			v.Line = 0 // the evidence is only a part of the file
			invalid.Problems = append(invalid.Problems, v.Problem)
		}
		return Evidence{}, invalid
	}
	var e Evidence
	if err := document.Decode(&e); err != nil {
		return Evidence{}, err
	}
	if found := e.contradictions(); len(found) > 0 {
		return Evidence{}, errors.New(strings.Join(found, "; "))
	}
	return e, nil
}
