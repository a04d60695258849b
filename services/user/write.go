package user

import (
	"context"
	"database/sql"
	"errors"
	"time"

	userv1 "github.com/protosvc/protosvc/generated/user/v1"
	"github.com/protosvc/protosvc/generated/user/v1/userv1svc"
	"github.com/protosvc/protosvc/services/internal/id"
	"github.com/protosvc/protosvc/svc/database"
	svcerrors "github.com/protosvc/protosvc/svc/errors"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
)

// CreateUser registers a user.
func (h *handler) CreateUser(ctx context.Context, req *userv1.CreateUserRequest) (*userv1.CreateUserResponse, error) {
	now := time.Now().UnixMicro()
	r, err := h.users.insert(ctx, record{
		id:          id.New(),
		email:       req.GetEmail(),
		displayName: req.GetDisplayName(),
		state:       active,
		created:     now,
		updated:     now,
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, userv1svc.NewUserErrorEmailTaken(req.GetEmail())
	case err != nil:
		return nil, err
	}
	h.metrics.UsersCreatedTotal().Inc()
	return &userv1.CreateUserResponse{User: r.message()}, nil
}

// UpdateUser changes the fields of a user that the mask names.
func (h *handler) UpdateUser(ctx context.Context, req *userv1.UpdateUserRequest) (*userv1.UpdateUserResponse, error) {
	masked, err := maskedChanges(req)
	if err != nil {
		return nil, err
	}
	userID := id.Canonical(req.GetUserId())
	r, err := h.users.update(ctx, userID, masked)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, h.whyNotActive(ctx, userID)
	case database.IsUniqueViolation(err):
		return nil, userv1svc.NewUserErrorEmailTaken(masked.email).WithCause(err)
	case err != nil:
		return nil, err
	}
	return &userv1.UpdateUserResponse{User: r.message()}, nil
}

// maskedChanges takes from the request what the mask names. The rules of the
// contract let a field be empty, because it may not be in the mask; a field that
// is in the mask must not.
func maskedChanges(req *userv1.UpdateUserRequest) (c changes, err error) {
	var wrong []*errdetails.BadRequest_FieldViolation
	fields := map[string]struct {
		value string
		to    *string
	}{
		"email":        {req.GetEmail(), &c.email},
		"display_name": {req.GetDisplayName(), &c.displayName},
	}
	for _, name := range req.GetUpdateMask().GetPaths() {
		field := fields[name]
		if field.value == "" {
			wrong = append(wrong, &errdetails.BadRequest_FieldViolation{
				Field: name, Description: "must not be empty when update_mask names it", Reason: "required",
			})
			continue
		}
		*field.to = field.value
	}
	if wrong != nil {
		return c, svcerrors.InvalidRequest.New().WithDetails(&errdetails.BadRequest{FieldViolations: wrong})
	}
	return c, nil
}

// whyNotActive says why there is no active user with the id.
func (h *handler) whyNotActive(ctx context.Context, userID string) error {
	if _, err := h.users.byID(ctx, userID); err != nil {
		return notFound(err, userID)
	}
	return userv1svc.NewUserErrorDeactivated(userID)
}

// DeactivateUser ends a user's right to order. Nothing changes for a user who
// has lost it before.
func (h *handler) DeactivateUser(ctx context.Context, req *userv1.DeactivateUserRequest) (*userv1.DeactivateUserResponse, error) {
	userID := id.Canonical(req.GetUserId())
	r, err := h.users.deactivate(ctx, userID)
	if errors.Is(err, sql.ErrNoRows) {
		r, err = h.users.byID(ctx, userID)
	}
	if err != nil {
		return nil, notFound(err, userID)
	}
	return &userv1.DeactivateUserResponse{User: r.message()}, nil
}
