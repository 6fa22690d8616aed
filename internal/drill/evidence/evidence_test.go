package evidence_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"flag"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/drill/evidence"
)

// update signs the sample again, with a new key. Use it only together with a new
// version of the format: files of released versions must stay valid.
var update = flag.Bool("update-sample", false, "sign the sample again")

const (
	sampleFile = "testdata/evidence.v1.json"
	sampleKey  = "testdata/evidence.v1.key.pem"
)

// newKey returns a private key and its PEM blocks.
func newKey(t testing.TB) (key evidence.PrivateKey, private, public []byte) {
	t.Helper()
	generated, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	private, public = pemOf(t, generated, &generated.PublicKey)
	key, err = evidence.ParsePrivateKey(private)
	require.NoError(t, err)
	return key, private, public
}

func pemOf(t testing.TB, private, public any) (privatePEM, publicPEM []byte) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	publicDER, err := x509.MarshalPKIXPublicKey(public)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: publicDER})
}

// sample returns the evidence of a drill of a file share.
func sample() evidence.Evidence {
	const vault = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/azurefilesvault"
	const account = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/drills/providers/Microsoft.Storage/storageAccounts/drillaccount"
	start := time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)
	at := func(d time.Duration) time.Time { return start.Add(d) }
	answered := at(9 * time.Minute)
	return evidence.Evidence{
		Version: evidence.Version, ID: "5f2b7c",
		Drill: evidence.Drill{Name: "monthly-files", Run: "2026-11-01T04:00", ConfigurationDigest: "sha256:" + strings.Repeat("0a", 32)},
		Item: evidence.Item{
			ID:      vault + "/backupFabrics/Azure/protectionContainers/storagecontainer;storage;azurefiles;orders/protectedItems/azurefileshare;1",
			VaultID: vault, Type: "AzureFileShare", Name: "orders-eu", Tags: map[string]string{"team": "files"},
		},
		Point:   &evidence.Point{ID: "11002772696541", Time: at(-30 * time.Minute), Rule: "latest"},
		Target:  &evidence.Target{ID: account + "/fileServices/default/shares/drill-5f2b7c"},
		Started: start, Ended: at(10 * time.Minute),
		Phases: []evidence.Phase{
			{Name: evidence.ChoosePoint, Result: evidence.PhaseSucceeded, Started: start, Ended: at(time.Second)},
			{Name: evidence.MakeTarget, Result: evidence.PhaseSucceeded, Started: at(time.Second), Ended: at(2 * time.Second)},
			{
				Name: evidence.Restore, Result: evidence.PhaseSucceeded, Started: at(2 * time.Second), Ended: at(3*time.Minute + 500*time.Millisecond),
				JobID: "a8cc7a59-62b5-4c1b-be36-dc29e1772816", CorrelationIDs: []string{"9a606b44-61d4-4a30-97c1-0c3b8a8f2f10"},
			},
			{Name: evidence.CheckData, Result: evidence.PhaseSucceeded, Started: at(4 * time.Minute), Ended: at(5 * time.Minute)},
			{Name: evidence.Validate, Result: evidence.PhaseSucceeded, Started: at(5 * time.Minute), Ended: answered},
			{Name: evidence.CleanUp, Result: evidence.PhaseSucceeded, Started: answered, Ended: at(10 * time.Minute)},
		},
		Objectives:   evidence.Objectives{RTO: &evidence.Objective{Maximum: "PT4H"}, RPO: &evidence.Objective{Maximum: "P1D"}},
		Checks:       []evidence.Check{{Name: "files", Result: evidence.CheckPassed, Found: "1200 files, 3 GiB", NotChecked: "the content of the files"}},
		Validation:   evidence.Validation{Result: evidence.Successful, By: "orders-pipeline", At: &answered, Text: "all orders of October can be read"},
		NotValidated: []string{"access rights of the files"},
	}
}

// assessed returns changed evidence with its result.
func assessed(t testing.TB, change func(*evidence.Evidence)) evidence.Evidence {
	t.Helper()
	e := sample()
	change(&e)
	e, err := evidence.Assess(e)
	require.NoError(t, err)
	return e
}

func unchanged(*evidence.Evidence) {}

func TestVerify_AcceptsWhatWasSigned(t *testing.T) {
	t.Parallel()
	key, _, _ := newKey(t)
	other, _, _ := newKey(t)
	e := assessed(t, unchanged)
	file, err := evidence.Sign(t.Context(), e, key)
	require.NoError(t, err)
	got, err := evidence.Verify("drill.json", file, []evidence.PublicKey{other.Public, key.Public})
	require.NoError(t, err)
	require.Equal(t, evidence.Verified{Evidence: e, KeyID: key.Public.ID}, got)
}

// A released format is read by every later version.
func TestVerify_AcceptsTheSampleOfVersion1(t *testing.T) {
	t.Parallel()
	if *update {
		key, _, public := newKey(t)
		file, err := evidence.Sign(t.Context(), assessed(t, unchanged), key)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(sampleFile, file, 0o600))
		require.NoError(t, os.WriteFile(sampleKey, public, 0o600))
	}
	public, err := os.ReadFile(sampleKey)
	require.NoError(t, err)
	key, err := evidence.ParsePublicKey(public)
	require.NoError(t, err)
	file, err := os.ReadFile(sampleFile)
	require.NoError(t, err)
	got, err := evidence.Verify(sampleFile, file, []evidence.PublicKey{key})
	require.NoError(t, err)
	require.Equal(t, assessed(t, unchanged), got.Evidence)
}

func TestVerify_FindsEveryChangedByte(t *testing.T) {
	t.Parallel()
	key, _, _ := newKey(t)
	file, err := evidence.Sign(t.Context(), assessed(t, unchanged), key)
	require.NoError(t, err)
	keys := []evidence.PublicKey{key.Public}
	rejects := func(changed []byte, i int, what string) {
		var rejected *evidence.NotVerifiedError
		_, err := evidence.Verify("drill.json", changed, keys)
		require.ErrorAs(t, err, &rejected, "%s at byte %d is not found", what, i)
	}
	bits := 8
	if testing.Short() {
		bits = 1
	}
	for i := range file {
		for bit := range bits {
			changed := bytes.Clone(file)
			changed[i] ^= 1 << bit
			rejects(changed, i, "a changed bit")
		}
		rejects(append(bytes.Clone(file[:i]), file[i+1:]...), i, "a missing byte")
		rejects(append(append(bytes.Clone(file[:i]), ' '), file[i:]...), i, "an added space")
		rejects(append(append(bytes.Clone(file[:i]), '\n'), file[i:]...), i, "an added line break")
	}
	rejects(append(bytes.Clone(file), '\n'), len(file), "an added line break")
}

// The format is documented, so that an auditor needs none of our programs.
func TestSign_IsVerifiedByTheStandardLibraryAlone(t *testing.T) {
	t.Parallel()
	key, _, public := newKey(t)
	file, err := evidence.Sign(t.Context(), assessed(t, unchanged), key)
	require.NoError(t, err)
	var parts struct {
		Evidence  json.RawMessage
		Signature string
	}
	require.NoError(t, json.Unmarshal(file, &parts))
	header, signature, found := strings.Cut(parts.Signature, "..")
	require.True(t, found)
	digest := sha256.Sum256([]byte(header + "." + base64.RawURLEncoding.EncodeToString(parts.Evidence)))
	raw, err := base64.RawURLEncoding.DecodeString(signature)
	require.NoError(t, err)
	require.Len(t, raw, 64)
	block, _ := pem.Decode(public)
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	require.NoError(t, err)
	verifier, ok := parsed.(*ecdsa.PublicKey)
	require.True(t, ok)
	require.True(t, ecdsa.Verify(verifier, digest[:], new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])))
}

func TestVerify_RejectsOtherSignatures(t *testing.T) {
	t.Parallel()
	generated, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	private, _ := pemOf(t, generated, &generated.PublicKey)
	key, err := evidence.ParsePrivateKey(private)
	require.NoError(t, err)
	file, err := evidence.Sign(t.Context(), assessed(t, unchanged), key)
	require.NoError(t, err)
	other, _, _ := newKey(t)
	payload := func(file []byte) []byte {
		var parts struct{ Evidence json.RawMessage }
		require.NoError(t, json.Unmarshal(file, &parts))
		return parts.Evidence
	}(file)
	signed := func(alg jose.SignatureAlgorithm, key any, id, mediaType string, payload []byte) []byte {
		options := &jose.SignerOptions{ExtraHeaders: map[jose.HeaderKey]any{"kid": id}}
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options.WithType(jose.ContentType(mediaType)))
		require.NoError(t, err)
		signature, err := signer.Sign(payload)
		require.NoError(t, err)
		text, err := signature.DetachedCompactSerialize()
		require.NoError(t, err)
		return []byte("{\n  \"evidence\": " + string(payload) + ",\n  \"signature\": \"" + text + "\"\n}\n")
	}
	const mediaType = "azbackupflow-evidence+jws"
	require.NoError(t, func() error {
		_, err := evidence.Verify("drill.json", signed(jose.ES256, generated, key.Public.ID, mediaType, payload), []evidence.PublicKey{key.Public})
		return err
	}(), "the test signs as the program does")
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		file []byte
		keys []evidence.PublicKey
		want string
	}{
		"untrusted key":       {file, []evidence.PublicKey{other.Public}, `the signature names the key "` + key.Public.ID + `"; want one of the trusted keys: ` + other.Public.ID},
		"no key":              {file, nil, "the signature names the key"},
		"claimed key":         {signed(jose.ES256, stranger, key.Public.ID, mediaType, payload), []evidence.PublicKey{key.Public}, "or the signature is of another file"},
		"another media type":  {signed(jose.ES256, generated, key.Public.ID, "JWT", payload), []evidence.PublicKey{key.Public}, "not one of the evidence"},
		"symmetric algorithm": {signed(jose.HS256, []byte(strings.Repeat("k", 32)), key.Public.ID, mediaType, payload), []evidence.PublicKey{key.Public}, "not of the algorithm ES256"},
		"signed nonsense":     {signed(jose.ES256, generated, key.Public.ID, mediaType, []byte(`{"version": 1}`)), []evidence.PublicKey{key.Public}, "the signature is valid, but the evidence is not"},
		"no signature":        {[]byte(`{"evidence": {}}`), []evidence.PublicKey{key.Public}, "is not a JSON object with the fields evidence and signature"},
		"empty":               {nil, []evidence.PublicKey{key.Public}, "is not a JSON object"},
		"two members":         {bytes.Replace(file, []byte("{\n"), []byte("{\n  \"evidence\": {},\n"), 1), []evidence.PublicKey{key.Public}, "the text around the evidence was changed"},
	} {
		var rejected *evidence.NotVerifiedError
		_, err := evidence.Verify("drill.json", c.file, c.keys)
		require.ErrorAs(t, err, &rejected, name)
		require.ErrorContains(t, err, c.want, name)
		require.NotEmpty(t, rejected.Want, name)
	}
}

func TestAssess_DecidesTheResult(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*evidence.Evidence)
		want   evidence.Result
	}{
		"everything passed": {unchanged, evidence.Proven},
		"no objectives":     {func(e *evidence.Evidence) { e.Objectives = evidence.Objectives{} }, evidence.Proven},
		"no validator":      {func(e *evidence.Evidence) { e.Validation = evidence.Validation{Result: evidence.NotRequested} }, evidence.Proven},
		"clean-up failed":   {func(e *evidence.Evidence) { e.Phases[5].Result = evidence.PhaseFailed }, evidence.Proven},
		"restore took long": {func(e *evidence.Evidence) { e.Objectives.RTO.Maximum = "PT2M58S" }, evidence.ObjectivesMissed},
		"point is old":      {func(e *evidence.Evidence) { e.Objectives.RPO.Maximum = "PT29M" }, evidence.ObjectivesMissed},
		"no answer":         {func(e *evidence.Evidence) { e.Validation = evidence.Validation{Result: evidence.TimedOut} }, evidence.NotValidated},
		"no answer, and late": {func(e *evidence.Evidence) {
			e.Validation, e.Objectives.RTO.Maximum = evidence.Validation{Result: evidence.TimedOut}, "PT1S"
		}, evidence.NotValidated},
		"validator found it":   {func(e *evidence.Evidence) { e.Validation.Result = evidence.Unsuccessful }, evidence.Failed},
		"not reached":          {func(e *evidence.Evidence) { e.Validation = evidence.Validation{Result: evidence.NotReached} }, evidence.Failed},
		"no result":            {func(e *evidence.Evidence) { e.Validation.Result = "" }, evidence.Failed},
		"check failed":         {func(e *evidence.Evidence) { e.Checks[0].Result = evidence.CheckFailed }, evidence.Failed},
		"nothing was checked":  {func(e *evidence.Evidence) { e.Checks = nil }, evidence.Failed},
		"restore failed":       {func(e *evidence.Evidence) { e.Phases[2].Result = evidence.PhaseFailed }, evidence.Failed},
		"restore not reached":  {func(e *evidence.Evidence) { e.Phases = e.Phases[:2] }, evidence.Failed},
		"checking failed":      {func(e *evidence.Evidence) { e.Phases[3].Result = evidence.PhaseFailed }, evidence.Failed},
		"met to the second":    {func(e *evidence.Evidence) { e.Objectives.RTO.Maximum = "PT2M59S" }, evidence.Proven},
		"point within its age": {func(e *evidence.Evidence) { e.Objectives.RPO.Maximum = "PT30M" }, evidence.Proven},
	} {
		require.Equal(t, c.want, assessed(t, c.change).Result, name)
	}
	e := assessed(t, unchanged)
	require.Equal(t, "PT0H2M59S", e.Objectives.RTO.Measured)
	require.Equal(t, "PT0H30M0S", e.Objectives.RPO.Measured)
	_, err := evidence.Assess(func() evidence.Evidence { e := sample(); e.Objectives.RTO.Maximum = "4h"; return e }())
	require.EqualError(t, err, `objectives.rto.maximum: "4h" is not an ISO 8601 duration such as PT4H`)
}

func TestSign_RejectsEvidenceThatContradictsItself(t *testing.T) {
	t.Parallel()
	key, _, _ := newKey(t)
	for want, change := range map[string]func(*evidence.Evidence){
		"ended is before started":                              func(e *evidence.Evidence) { e.Ended = e.Started.Add(-time.Second) },
		"point.time is after started":                          func(e *evidence.Evidence) { e.Point.Time = e.Started.Add(time.Second) },
		"phases[1] is ChoosePoint, which does not follow":      func(e *evidence.Evidence) { e.Phases[1].Name = evidence.ChoosePoint },
		"phases[4] (Validate) is not within the time":          func(e *evidence.Evidence) { e.Phases[4].Ended = e.Ended.Add(time.Second) },
		"phases[2] is Restore, without a recovery point":       func(e *evidence.Evidence) { e.Target = nil },
		"validation is Successful; by and at are set":          func(e *evidence.Evidence) { e.Validation.By = "" },
		"validation is TimedOut; by and at are set":            func(e *evidence.Evidence) { e.Validation.Result = evidence.TimedOut },
		"result is Proven, but the rest of the document":       func(e *evidence.Evidence) { e.Checks[0].Result = evidence.CheckFailed },
		"objectives differ":                                    func(e *evidence.Evidence) { e.Objectives.RTO.Measured = "PT0H0M1S" },
		"drill.configurationDigest: \"\" does not have":        func(e *evidence.Evidence) { e.Drill.ConfigurationDigest = "" },
		"checks: is of type null; want the built-in checks":    func(e *evidence.Evidence) { e.Checks = nil },
		"version: is 2; want 1":                                func(e *evidence.Evidence) { e.Version = 2 },
		"started: \"2026-11-01T04:00:00+01:00\" does not have": func(e *evidence.Evidence) { e.Started = e.Started.In(time.FixedZone("CET", 3600)) },
	} {
		e := assessed(t, unchanged)
		change(&e)
		_, err := evidence.Sign(t.Context(), e, key)
		require.ErrorContains(t, err, want)
	}
}

func TestParseKeys_ExplainWhatTheyNeed(t *testing.T) {
	t.Parallel()
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	_, private, public := newKey(t)
	curve, curvePublic := pemOf(t, p384, &p384.PublicKey)
	rsaPrivate, rsaPublic := pemOf(t, other, &other.PublicKey)
	damaged := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")})
	for name, c := range map[string]struct {
		raw                 []byte
		asPublic, asPrivate string
	}{
		"public":       {public, "", `has a PEM block "PUBLIC KEY"; want a PEM file with a private ECDSA key`},
		"private":      {private, "is a private key; want a PEM file with the public key", ""},
		"text":         {[]byte("x"), "is not a PEM file", "is not a PEM file"},
		"curve":        {curve, "is a private key", "has a key of another kind"},
		"curve public": {curvePublic, "has a key of another kind", "PUBLIC KEY"},
		"RSA":          {rsaPrivate, "is a private key", "has a key of another kind"},
		"RSA public":   {rsaPublic, "has a key of another kind", "PUBLIC KEY"},
		"damaged":      {damaged, "has a damaged PEM block", "PUBLIC KEY"},
		"parameters":   {[]byte("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + string(private)), `has a PEM block "EC PARAMETERS"`, ""},
	} {
		_, err := evidence.ParsePublicKey(c.raw)
		if c.asPublic == "" {
			require.NoError(t, err, name)
		} else {
			require.ErrorContains(t, err, c.asPublic, name)
		}
		_, err = evidence.ParsePrivateKey(c.raw)
		if c.asPrivate == "" {
			require.NoError(t, err, name)
		} else {
			require.ErrorContains(t, err, c.asPrivate, name)
		}
	}
}
