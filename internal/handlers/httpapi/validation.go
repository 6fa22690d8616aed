package httpapi

import (
	"net/http"

	"azbackupflow/internal/request"
)

// answerValidation saves the answer of a validator about what a drill restored. A
// validator needs the role RoleValidate, or the one that may start the flow.
func (a *API) answerValidation(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if requireRole(r.Context(), RoleValidate) != nil {
		if err := a.authorizeOperation(r.Context(), id); err != nil {
			return err
		}
	}
	raw, err := readBody(w, r)
	if err != nil {
		return err
	}
	answer, err := request.ReadAnswer(raw, id)
	if err != nil {
		return err
	}
	op, err := a.cfg.Engine.Validate(r.Context(), id, answer.Validated(a.actor(r)), answer.Target)
	if err != nil {
		return err
	}
	return a.writeOperation(w, http.StatusOK, op)
}
