// Package user keeps the people who order.
package user

import (
	"database/sql"
	"embed"
	"errors"
	"io/fs"

	userv1 "github.com/protosvc/protosvc/generated/user/v1"
	"github.com/protosvc/protosvc/generated/user/v1/userv1svc"
	"github.com/protosvc/protosvc/svc"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations is the schema, one file for each version. The only error of fs.Sub
// is a path that is not valid.
var Migrations, _ = fs.Sub(files, "migrations")

// handler implements the contract of UserService.
type handler struct {
	config  *svc.Config[*userv1.Config]
	metrics *userv1svc.UserServiceMetrics
	users   store
}

var _ userv1.UserServiceServer = (*handler)(nil)

// New returns the handler of the user service.
func New(d userv1svc.UserServiceDeps) (userv1.UserServiceServer, error) {
	return &handler{
		config:  d.Config,
		metrics: d.Metrics,
		users:   store{db: d.DB},
	}, nil
}

// notFound turns the store's "no such row" into the error of the contract.
func notFound(err error, userID string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return userv1svc.NewUserErrorNotFound(userID)
	}
	return err
}
