package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/Shopify/toxiproxy/v2"
	_ "github.com/lib/pq"
	_ "modernc.org/sqlite"
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
}

type sqlite struct{}

func (sqlite) name() string { return "SQLite" }

func (sqlite) create(_ context.Context, dir, service string) (string, error) {
	return "sqlite:" + filepath.Join(dir, service+".db"), nil
}

func (sqlite) wire(url string) (*toxiproxy.Proxy, string, error) { return nil, url, nil }

func (sqlite) open(url string) (*sql.DB, error) {
	return sql.Open("sqlite", "file:"+url[len("sqlite:"):]+"?_txlock=immediate&_pragma=busy_timeout(5000)")
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

func (postgres) open(url string) (*sql.DB, error) { return sql.Open("postgres", url) }
