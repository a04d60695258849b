// Package svc runs services that protoc-gen-svc generated.
//
// Generated code describes a service as a [Service]; [Main] runs it as a
// process, [Run] inside one. Between start and stop stand, in this order:
// config, logger, metrics, tracing, admin port, database, clients, handler,
// gRPC and HTTP/JSON. The stop goes the other way; package lifecycle has it on
// one screen.
//
// The packages below svc each do one of these and know nothing of each other
// beyond what their imports say. Handlers meet only [Deps] and [Config].
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

	// KeepsAnswers says that methods keep the answers of their idempotency keys
	// in the database, Defers that calls go through the outbox there.
	KeepsAnswers, Defers bool

	// Errors are the typed errors that the service returns.
	Errors errors.Table

	// Propagate are the metadata that travel through the service; nil if none do.
	Propagate propagate.Keys

	// Start makes the handler and hands it to App.Serve.
	Start func(*App) error

	// HTTP registers the HTTP/JSON routes; nil if there are none.
	HTTP func(context.Context, *runtime.ServeMux, grpc.ClientConnInterface) error
}
