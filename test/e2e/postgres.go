package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"

	_ "github.com/lib/pq" // driver postgres
)

// What scripts/with-postgres tells of its server: a URL, and a program that starts, stops
// and restarts it.
const (
	postgresURL     = "PROTOSVC_TEST_POSTGRES_URL"
	postgresControl = "PROTOSVC_TEST_POSTGRES_CONTROL"
)

// postgres is the server of all databases.
type postgres struct{ url, control string }

func findPostgres() (postgres, error) {
	p := postgres{os.Getenv(postgresURL), os.Getenv(postgresControl)}
	if p.url == "" || p.control == "" {
		return p, errors.New("there is no PostgreSQL: run this with scripts/with-postgres")
	}
	return p, nil
}

// create makes a database and the user it belongs to, both of one name, and returns the
// URL of that user.
func (p postgres) create(ctx context.Context, name string) (string, error) {
	db, err := sql.Open("postgres", p.url)
	if err != nil {
		return "", err
	}
	defer func() { _ = db.Close() }()
	for _, statement := range []string{`CREATE ROLE "%[1]s" LOGIN`, `CREATE DATABASE "%[1]s" OWNER "%[1]s"`} {
		if _, err := db.ExecContext(ctx, fmt.Sprintf(statement, name)); err != nil {
			return "", fmt.Errorf("database %s: %w", name, err)
		}
	}
	u, err := url.Parse(p.url)
	if err != nil {
		return "", err
	}
	u.User, u.Path = url.User(name), "/"+name
	return u.String(), nil
}

// tell starts, stops or restarts the server, and returns when it has.
func (p postgres) tell(ctx context.Context, what string) error {
	return command(ctx, "", p.control, what)
}
