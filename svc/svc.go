// Package svc runs services that protoc-gen-svc generated.
//
// Generated code describes a service as a [Service]; [Main] runs it as a
// process, [Run] inside one. Between start and stop stand, in this order:
// config, logger, metrics, tracing, ports, admin server, database, clients,
// handler, gRPC and HTTP/JSON. The stop goes the other way.
//
// # For handlers
//
// A handler gets the Deps that are generated for its service, with [Deps] in them and
// what its contract asks for: a client for each called service, its database, its
// metrics, its [Config]. The types behind these:
//
//   - errors of the contract, and what others become: package errors
//   - transactions and migrations: database
//   - calls over HTTP to external services: httpclient
//   - calls that must happen although processes die: outbox
//   - repeated requests that get the first answer: idempotency
//   - business metrics: metrics
//   - metadata that travels with calls, such as a tenant: propagate
//
// docs/guide in the repository builds two services from all of this, page by page.
//
// Programs that are not services call them by client. All else here is for generated
// code: [Service], [Settings], [App], [Start], [Callee], [HTTPCallee].
//
// # Where to look
//
// What the contract says of methods is in package policy: deadlines, retries, hedges,
// rate limits, bounds of streams. The generator resolves every default
// (protoc-gen-svc/internal/model; values that the runtime documents too are in
// the module's internal/defaults). What happens to each call:
//
//   - a panic of a handler, validation: internal/server (unary.go, stream.go); deadlines,
//     errors, and what becomes of a panic: internal/server (call.go)
//   - admission, that is too many calls and rate limits of callers: internal/server
//     (admission.go); the limits themselves: internal/limit
//   - what a call passes before its message is read, and how long that may take:
//     internal/server (arrival.go); of a body over HTTP: internal/gateway (body.go); the
//     memory of what arrives, and clients that take too much of it: internal/budget,
//     internal/flood
//   - retries of a gRPC call: made by grpc-go, as client/serviceconfig.go tells it; of a
//     request over HTTP: httpclient; hedges: client (hedge.go)
//   - circuit breakers: internal/breaker; client (breaker.go) asks one for each callee,
//     internal/outlier leaves out single backends, whatever balances; which errors
//     count: errors (breaker.go)
//   - which backend gets a call: client (balance.go names the policies, weighted.go is
//     one, distinct.go is for hedges, pool.go is several connections to each); the load that
//     backends report: internal/load; where addresses come from: internal/dns
//   - trace context in and out, spans: internal/tracing; through the gateway:
//     internal/gateway (headers.go); through the outbox: outbox (headers.go)
//   - series of calls: internal/rpcmetrics
//   - an error as HTTP/JSON: errors (http.go) has the status, internal/gateway the body,
//     the module's internal/rpccode the table of what gRPC codes mean
//
// Around the calls:
//
//   - readiness, liveness, gRPC health: internal/health, whose doc lists the causes; the
//     admin port: internal/admin
//   - start and stop, draining: internal/lifecycle (run.go is the stop, on one screen);
//     what streams have of it: run.go here (endStreams)
//   - reloads, and which keys they may change: reload.go here; how config.yaml and the
//     environment are read: internal/config
//   - log lines: internal/logging
package svc

import (
	"io/fs"
	"time"

	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/propagate"
)

// SupportPackageIsVersion1 is referred to by generated code, so that code and
// runtime that do not fit fail to compile. It goes away when the runtime stops
// supporting code that was generated for it.
const SupportPackageIsVersion1 = true

// Service is what generated code knows about a service.
type Service struct {
	// Name is the deployable's name, "order". In upper case it is the prefix of
	// environment variables.
	Name string

	// FullName is the name of the gRPC service, "order.v1.OrderService".
	FullName string

	// System is what the service is a part of, Team who answers for it, empty where
	// the contract does not say. Logs, traces and build_info have both.
	System, Team string

	// Settings are the defaults of the contract.
	Settings Settings

	// Config holds the service's own settings; nil if it has none.
	Config section

	// Migrations are applied to the database at start; nil if there are none. With
	// AwaitMigrations a process that is started with --migrate applies them, and the
	// service waits for it.
	Migrations      fs.FS
	AwaitMigrations bool

	// Callees are the services that it calls, HTTPCallees those that it calls over
	// HTTP/1.1 or HTTP/2 by [httpclient.Client].
	Callees     []*Callee
	HTTPCallees []*HTTPCallee

	// StoresResponses says that methods keep the answers of their idempotency keys
	// in the database, Defers that calls go through the outbox there.
	StoresResponses, Defers bool

	// NoProfiles says that the admin port serves no profiles.
	NoProfiles bool

	// Errors are the typed errors that the service returns.
	Errors errors.Table

	// Propagate are the metadata that travel through the service; nil if none do.
	Propagate propagate.Keys

	// Start is made by the function Start.
	Start func(*App) error

	// HTTP are the routes of HTTP/JSON; nil if there are none.
	HTTP []Route

	// CORSOrigins are the origins of pages that may call by HTTP/JSON from a browser, "*"
	// for all; with CORSCredentials, cookies included. A browser remembers it for CORSMaxAge.
	CORSOrigins     []string
	CORSCredentials bool
	CORSMaxAge      time.Duration
}

// Route is a path of HTTP/JSON by which a method is called, as google.api.http says.
type Route struct {
	// Method is that of HTTP, "GET", or "*" for all that have no route of their own.
	Method string

	// Path is a template, "/v1/orders/{order_id}".
	Path string

	// RPC is the full name of the method that is called, "/order.v1.OrderService/GetOrder".
	// Its code must be linked in, since the route is made of its descriptor.
	RPC string

	// Body is the field of the request that the body is, "*" for all of it, or empty if
	// there is none. ResponseBody is the field of the response that is answered; empty:
	// all of it.
	Body, ResponseBody string

	// IdempotencyKey is the field of the request that the header Idempotency-Key may stand
	// for; empty: the method has none.
	IdempotencyKey string
}
