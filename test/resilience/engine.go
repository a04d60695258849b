package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	_ "github.com/lib/pq"
	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// engine is a kind of database.
type engine interface {
	name() string
	// create makes an empty database for a service and returns its URL.
	create(ctx context.Context, dir, service string) (string, error)
	// wire puts a proxy in front of a database where there is a connection to
	// break, and returns the URL by way of it.
	wire(url string) (*toxiproxy.Proxy, string, error)
	// open opens a database.
	open(url string) (*sql.DB, error)
	// locked reports whether nobody can write to a database at all.
	locked(ctx context.Context, url string) (bool, error)
}

type sqlite struct{}

func (sqlite) name() string { return "SQLite" }

func (sqlite) create(_ context.Context, dir, service string) (string, error) {
	return "sqlite:" + filepath.Join(dir, service+".db"), nil
}

func (sqlite) wire(url string) (*toxiproxy.Proxy, string, error) { return nil, url, nil }

func (s sqlite) open(url string) (*sql.DB, error) { return s.openFor(url, 5*time.Second) }

// openFor opens a file whose lock is waited for so long.
func (sqlite) openFor(url string, wait time.Duration) (*sql.DB, error) {
	return sql.Open("sqlite", fmt.Sprintf("file:%s?_txlock=immediate&_pragma=busy_timeout(%d)", url[len("sqlite:"):], wait.Milliseconds()))
}

// locked knows a lock that stays from those of the others by the time.
func (s sqlite) locked(ctx context.Context, url string) (bool, error) {
	db, err := s.openFor(url, 200*time.Millisecond)
	if err != nil {
		return false, err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil) // immediate: it has the lock
	var busy *driver.Error
	if errors.As(err, &busy) && busy.Code()&0xff == sqlite3.SQLITE_BUSY {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return false, tx.Rollback()
}

type postgres struct{ url string }

func (postgres) name() string { return "PostgreSQL" }

var created atomic.Int64

func (p postgres) create(ctx context.Context, _, service string) (string, error) {
	db, err := sql.Open("postgres", p.url)
	if err != nil {
		return "", err
	}
	defer db.Close()
	name := fmt.Sprintf("resilience_%s_%d_%d", service, os.Getpid(), created.Add(1))
	if _, err := db.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	u, err := url.Parse(p.url)
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}

func (postgres) wire(to string) (*toxiproxy.Proxy, string, error) {
	u, err := url.Parse(to)
	if err != nil {
		return nil, "", err
	}
	proxy := newProxy("database", "127.0.0.1:0", u.Host)
	if err := proxy.Start(); err != nil {
		return nil, "", err
	}
	u.Host = proxy.Listen
	return proxy, u.String(), nil
}

// locked is false: writers of PostgreSQL wait for those alone who write the same rows.
func (postgres) locked(context.Context, string) (bool, error) { return false, nil }

func (postgres) open(url string) (*sql.DB, error) { return sql.Open("postgres", url) }
