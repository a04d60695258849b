package user

import (
	"context"

	userv1 "github.com/protosvc/protosvc/generated/user/v1"
	"github.com/protosvc/protosvc/generated/user/v1/userv1svc"
	"github.com/protosvc/protosvc/services/internal/id"
	"github.com/protosvc/protosvc/services/internal/page"
)

// listName names the list in page tokens.
const listName = "users"

// GetUser returns one user.
func (h *handler) GetUser(ctx context.Context, req *userv1.GetUserRequest) (*userv1.GetUserResponse, error) {
	userID := id.Canonical(req.GetUserId())
	r, err := h.users.byID(ctx, userID)
	if err != nil {
		return nil, notFound(err, userID)
	}
	return &userv1.GetUserResponse{User: r.message()}, nil
}

// ListUsers returns the users page by page, the oldest first.
func (h *handler) ListUsers(ctx context.Context, req *userv1.ListUsersRequest) (*userv1.ListUsersResponse, error) {
	after, err := page.Parse(listName, req.GetPageToken(), page.Position{})
	if err != nil {
		return nil, userv1svc.NewUserErrorPageTokenInvalid().WithCause(err)
	}
	size := page.Size(req.GetPageSize(), h.config.Load().GetDefaultPageSize())
	rows, err := h.users.list(ctx, after, size+1)
	if err != nil {
		return nil, err
	}
	rows, next := page.Cut(rows, size, func(r record) string { return r.position().Token(listName) })
	out := &userv1.ListUsersResponse{NextPageToken: next}
	for _, r := range rows {
		out.Users = append(out.Users, r.message())
	}
	return out, nil
}
