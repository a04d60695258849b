// Package svc runs services that protoc-gen-svc generated.
//
// Generated code describes a service as a [Service]; [Main] runs it as a
// process, [Run] inside one. Between start and stop stand, in this order:
// config, logger, metrics, tracing, ports, admin server, database, clients,
// handler, gRPC and HTTP/JSON. The stop goes the other way.
//
// # Where to look
//
// Handlers meet [Deps], [Config], and what their contract asks for:
//
//   - errors of the contract, and what others become: package errors
//   - calls of other services, their balancing and circuit breakers: client
//   - calls over HTTP: httpclient
//   - transactions and migrations: database
//   - calls that must happen although processes die: outbox
//   - repeated requests that get the first answer: idempotency
//   - business metrics: metrics
//   - metadata that travels with calls: propagate
//
// What the contract says of methods is in package policy: deadlines, retries, hedges,
// rate limits, bounds of streams. What happens to each call is elsewhere:
//
//   - a panic of a handler, validation, deadlines, admission (too many calls, rate
//     limits): server; the limits themselves: internal/limit
//   - retries of a gRPC call: client (serviceconfig.go); of a request over HTTP:
//     httpclient; hedges: client (hedge.go)
//   - where the addresses of a callee come from: internal/dns; which get calls: client
//     (pool.go, distinct.go, weighted.go) and internal/outlier; circuit breakers:
//     internal/breaker
//   - trace context in and out, spans: internal/tracing; series of calls:
//     internal/rpcmetrics
//   - an error as HTTP/JSON: errors (http.go) has the status, internal/gateway the body
//
// Around the calls:
//
//   - readiness, liveness, gRPC health: internal/health; the admin port: internal/admin
//   - start and stop, draining: internal/lifecycle (run.go is the stop, on one screen)
//   - config.yaml, the environment, reloads: internal/config, and config.go here; the
//     settings and their defaults: [Settings], whose values the contract gives
//   - log lines: internal/logging
package svc

import (
	"context"
	"io/fs"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"

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

	// Settings are the defaults of the contract.
	Settings Settings

	// Config holds the service's own settings; nil if it has none.
	Config section

	// Migrations are applied to the database at start; nil if there are none.
	Migrations fs.FS

	// Callees are the services that it calls, HTTPCallees those that it calls over
	// HTTP/1.1 or HTTP/2 by [httpclient.Client].
	Callees     []*Callee
	HTTPCallees []*HTTPCallee

	// KeepsAnswers says that methods keep the answers of their idempotency keys
	// in the database, Defers that calls go through the outbox there.
	KeepsAnswers, Defers bool

	// Errors are the typed errors that the service returns.
	Errors errors.Table

	// Propagate are the metadata that travel through the service; nil if none do.
	Propagate propagate.Keys

	// Start is made by the function Start.
	Start func(*App) error

	// HTTP registers the HTTP/JSON routes; nil if there are none.
	HTTP func(context.Context, *runtime.ServeMux, grpc.ClientConnInterface) error
}
