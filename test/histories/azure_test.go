package histories_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"time"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// azure is the simulated Azure of a history.
type azure struct {
	sim *armsim.Simulator
	// items and instances are the IDs of what can be backed up.
	items, instances []string
	token            string
	tokenAt          time.Time
	// blocked are the times until which a process may not call an action of a
	// vault, by process and action.
	blocked map[string]time.Time
}

// subscription and vaults of the histories.
const (
	subscription = "/subscriptions/" + armsim.DemoSubscription
	account      = subscription + "/resourceGroups/AzureFiles/providers/Microsoft.Storage/storageAccounts/testvault2"
	secondShare  = "second"
	container    = "https://testossstorageaccount.blob.core.windows.net/testcontainerrestore"
)

// newAzure returns a small Azure: two machines, a database and a share in one
// vault, and two servers in another.
func newAzure(seed uint64, p plan) (*azure, error) {
	w := armsim.DemoWorld()
	vault := w.Vaults[0]
	second := w.VirtualMachines[0]
	second.Name = "vm2"
	w.VirtualMachines = append(w.VirtualMachines, second)
	w.Databases = w.Databases[:1]
	w.StorageAccounts[0].RegisteredWith = vault.ID()
	w.StorageAccounts[0].Shares = []armsim.Share{{Name: "testshare", Policy: "schedule1"}, {Name: secondShare}}
	w.ProtectedDatasources = append(w.ProtectedDatasources, armsim.ProtectedDatasource{
		Vault: w.BackupVaults[0].ID(), Policy: "pgflexpol1", Datasource: w.FlexibleServers[0].ID(), Instance: "pgflextestserver",
	})
	var text [32]byte
	binary.BigEndian.PutUint64(text[:], seed)
	r := rand.New(rand.NewPCG(seed, 3))
	minutes := func(low, high int) time.Duration { return time.Duration(low+r.IntN(high-low+1)) * time.Minute }
	sim, err := armsim.NewInProcess(armsim.Config{
		Now: func() time.Time { return time.Now().UTC() }, Random: bytes.NewReader(text[:]), World: &w, Quotas: p.quotas,
		Durations: armsim.Durations{
			MachineBackup: minutes(1, 6), DatabaseBackup: minutes(1, 3), InstanceBackup: minutes(1, 6),
			JobVisible: time.Duration(r.IntN(90)) * time.Second,
		},
	})
	if err != nil {
		return nil, err
	}
	a := &azure{sim: sim, blocked: map[string]time.Time{}}
	for _, item := range sim.ProtectedItems() {
		a.items = append(a.items, item.ID)
	}
	for _, i := range sim.BackupInstances() {
		a.instances = append(a.instances, i.ID)
	}
	if p.failedJobs {
		sim.AddOutcome(armsim.Outcome{JobStatus: "Failed", ErrorCode: 400001, ErrorText: "the snapshot failed"})
	}
	return a, nil
}

// transport is Azure as one process sees it.
type transport struct{ p *process }

// Do implements policy.Transporter. Some requests and answers are lost, some
// requests arrive after the client has given up, and gateways answer instead of
// Azure.
func (t transport) Do(r *http.Request) (*http.Response, error) {
	w := t.p.w
	kind := r.Method + " " + r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	if i := strings.IndexByte(kind, '-'); i > 0 {
		kind = kind[:i]
	}
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	serve := func() *http.Response { return w.serve(t.p, r, body, kind) }
	w.pass(t.p, "call "+kind)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	var res *http.Response
	err = errors.New("connection reset by peer")
	fault := w.pick(!w.away("azure") && !w.happens(w.plan.azure))
	w.note(t.p, "azure: "+fault)
	if fault != "is not reached" {
		w.calling(t.p, r, kind)
	}
	switch fault {
	case "answers":
		res, err = serve(), nil
	case "is not reached":
		err = &net.OpError{Op: "dial", Net: "tcp", Err: errAway}
	case "loses the request":
	case "loses the answer":
		_ = serve().Body.Close()
	case "receives the request late":
		// The handlers see the request as sent by a client that has gone.
		w.at(time.Now().Add(w.between(time.Second, time.Minute)), func() { _ = serve().Body.Close() })
	case "answers 503":
		res, err = failure(r, http.StatusServiceUnavailable, "ServiceUnavailable", ""), nil
	case "answers 429":
		res, err = failure(r, http.StatusTooManyRequests, "TooManyRequests", fmt.Sprint(1+w.rand.IntN(300))), nil
	case "answers 504 after its work":
		_ = serve().Body.Close()
		res, err = failure(r, http.StatusGatewayTimeout, "GatewayTimeout", ""), nil
	}
	w.pass(t.p, "call answered")
	if gone := r.Context().Err(); gone != nil {
		return nil, gone
	}
	if fault == "answers" && res.StatusCode == http.StatusTooManyRequests {
		w.azure.throttle(t.p, r, res)
	}
	return res, err
}

// pick returns the fate of a request.
func (w *world) pick(well bool) string {
	faults := []string{
		"is not reached", "loses the request", "loses the answer", "receives the request late", "answers 503", "answers 429",
		"answers 504 after its work",
	}
	if well {
		return "answers"
	}
	return faults[w.rand.IntN(len(faults))]
}

func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	return io.ReadAll(r.Body)
}

// serve lets the simulator answer a request of a process.
func (w *world) serve(p *process, r *http.Request, body []byte, kind string) *http.Response {
	a := w.azure
	if a.token == "" || time.Since(a.tokenAt) > time.Hour {
		a.token, a.tokenAt = a.sim.Token(), time.Now()
	}
	sent := r.Clone(r.Context())
	sent.Body = io.NopCloser(bytes.NewReader(body))
	sent.Header.Set("Authorization", "Bearer "+a.token)
	answer := httptest.NewRecorder()
	a.sim.ServeHTTP(answer, sent)
	res := answer.Result()
	res.Request = r
	if (kind == "POST backup" || kind == "POST restore") && res.StatusCode == http.StatusAccepted {
		w.started(p, r.Header.Get("x-ms-client-request-id"), kind)
	}
	return res
}

// seconds finds the wait that Azure requests.
var seconds = regexp.MustCompile(`try again after '(\d+)' seconds`)

// throttle remembers until when a process may not repeat a call.
func (a *azure) throttle(p *process, r *http.Request, res *http.Response) {
	text, _ := io.ReadAll(res.Body)
	res.Body = io.NopCloser(bytes.NewReader(text))
	if wait := seconds.FindSubmatch(text); wait != nil {
		n, _ := strconv.Atoi(string(wait[1]))
		a.blocked[action(p, r)] = time.Now().Add(time.Duration(n) * time.Second)
	}
}

// action names the action of a vault that a process calls: the types of the path.
func action(p *process, r *http.Request) string {
	parts := strings.Split(strings.ToLower(strings.Trim(r.URL.Path, "/")), "/")
	var name strings.Builder
	fmt.Fprint(&name, p.id, " ", r.Method)
	for n, part := range parts {
		if n < 8 || n%2 == 0 {
			name.WriteString("/" + part)
		}
	}
	return name.String()
}

func failure(r *http.Request, status int, code, retryAfter string) *http.Response {
	answer := httptest.NewRecorder()
	answer.Header().Set("Content-Type", "application/json")
	if retryAfter != "" {
		answer.Header().Set("Retry-After", retryAfter)
	}
	answer.WriteHeader(status)
	_, _ = fmt.Fprintf(answer, `{"error":{"code":%q,"message":"simulated"}}`, code)
	res := answer.Result()
	res.Request = r
	return res
}

// runs returns the operation that the process runs a step of, as the process last
// loaded or saved it, and the step.
func (p *process) runs() (op operation.Operation, s step.Step, item string, ok bool) {
	if p.current == nil || p.current.operation == "" {
		return op, s, "", false
	}
	op = p.row
	f, _ := p.flows.Find(op.Flow, op.Version)
	s, ok = f.Step(op.Step)
	if ok && f.Item != nil {
		item = f.Item(op)
	}
	if ok && f.Lock != nil {
		item = f.Lock(op)
	}
	return op, s, item, ok
}
