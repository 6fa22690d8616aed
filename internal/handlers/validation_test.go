package handlers_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	wire "azbackupflow/internal/api"
	"azbackupflow/internal/operation"
)

// waitsForValidation starts an operation and opens its validation until a time.
func (r *rig) waitsForValidation(key string, closes time.Time) string {
	r.t.Helper()
	var v wire.Operation
	r.call(r.api, http.MethodPost, "/operations", backupRequest(key, "testshare"), &v)
	row, err := r.store.Load(r.t.Context(), v.ID)
	require.NoError(r.t, err)
	row.Operation.Validation = &operation.Validation{Target: "/place", Closes: closes}
	_, err = r.store.Save(r.t.Context(), row, operation.Event{Seq: row.Operation.Seq, WriteID: "validation"})
	require.NoError(r.t, err)
	return "/operations/" + v.ID + "/validation"
}

// validations makes every response to the answer of a validator.
func validations(t *testing.T, r *rig, ask func(api http.Handler, method, route, target string, body any, headers ...string) response) {
	t.Helper()
	const route = "/operations/{id}/validation"
	good, bad := object{"result": "Successful", "text": "312 tables", "target": "/place"}, object{"result": "Failed"}
	open := r.waitsForValidation("validated", time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC))
	closed := r.waitsForValidation("closed", time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
	var v wire.Operation
	r.call(r.api, http.MethodPost, "/operations", backupRequest("no drill", "testshare"), &v)
	for target, c := range map[string]struct {
		body   any
		status int
	}{
		closed: {bad, http.StatusConflict}, "/operations/" + v.ID + "/validation": {bad, http.StatusConflict}, "/operations/nobody/validation": {bad, http.StatusNotFound},
	} {
		require.Equal(t, c.status, ask(r.api, http.MethodPost, route, target, c.body).StatusCode, target)
	}
	require.Equal(t, http.StatusConflict, ask(r.api, http.MethodPost, route, open, object{"result": "Failed", "target": "/other"}).StatusCode)
	require.Equal(t, http.StatusBadRequest, ask(r.api, http.MethodPost, route, open, object{"result": "perhaps"}).StatusCode)
	require.Equal(t, http.StatusOK, ask(r.api, http.MethodPost, route, open, good).StatusCode)
	require.Equal(t, http.StatusOK, ask(r.api, http.MethodPost, route, open, good).StatusCode, "the same answer again")
	require.Equal(t, http.StatusConflict, ask(r.api, http.MethodPost, route, open, bad).StatusCode)
}
