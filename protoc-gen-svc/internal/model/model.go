// Package model turns descriptors into the plain structs that templates print.
//
// It reads the annotations, resolves every default and every name, decides
// every identifier and path, and checks all of it. What Build returns without
// faults can be emitted without another question; what it refuses, it refuses
// with positions and all at once. It prints nothing and knows no template.
package model

import (
	"time"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/protosvc/protosvc/internal/httprule"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/rules"
)

// Options are the facts that a contract does not contain.
type Options struct {
	// Root is the Go import path of the output folder. Required.
	Root string

	// Handlers is the import path below which each service has its handler
	// package. Empty: mains wire the generated handler that implements nothing.
	Handlers string

	// Registry is where the images are, "registry.example.com/shop", and Tag what they
	// are tagged with, where no overlay says otherwise. Empty: the images have no
	// registry, and the tag "dev".
	Registry, Tag string

	// System says that the run sees the whole system, so that files about all
	// services are written and checks across services are made.
	System bool

	// OpenAPI says that each file with routes gets a document of OpenAPI.
	OpenAPI bool
}

// System is everything that one run generates, in the order of the files.
type System struct {
	Options  Options
	Plugin   Plugin
	Services []*Service
	Errors   []*ErrorEnum
}

// Service is one deployable unit.
type Service struct {
	// FullName is "order.v1.OrderService", GoName "OrderService", Source the
	// path of its proto file.
	FullName, GoName, Source string
	// Name is the deployable's name, "order"; Snake the stem of Go file names,
	// "order_service"; EnvPrefix what environment variables begin with, "ORDER".
	Name, Snake, EnvPrefix string
	Comment                Comment
	Deprecated             bool

	Team, System string
	// Secret is the Kubernetes Secret with the secrets among the service's own settings.
	Secret      string
	Scale       Scale
	Probes      Probes
	GoRuntime   GoRuntime
	Ports       Ports
	Stop        Stop
	Limits      Limits
	Monitoring  Monitoring
	Network     Network
	SampleRatio float64

	// Package is the package of our Go code for the service.
	Package Package
	// Fakes is the package of the fake, for tests of callers.
	Fakes Package
	// Main is the package of the binary.
	Main Package
	// Handler is the user's package; its path is empty when there is none.
	Handler Package
	// Image is the name of the image, with its registry, where no overlay sets one;
	// ImageTag its tag, and the version in the labels.
	Image, ImageTag string
	// Deploy is the folder of everything that is not a library: "deploy/order".
	Deploy string

	Methods []*Method
	Callees []*Callee
	// HTTPCallees are the external services that it calls over HTTP.
	HTTPCallees []*HTTPCallee
	Deferred    []*Deferred
	// Incoming and Outgoing are the edges of the call graph at the service, where
	// the run sees the whole system.
	Incoming, Outgoing []Edge
	// WholeSystem says that it does, so that the service has a NetworkPolicy.
	WholeSystem bool

	Config   *Config
	Database *Database
	Metrics  []*Metric
	// Propagate are the metadata keys that travel.
	Propagate []Propagated
	// CORS is which pages may call from a browser; nil: none.
	CORS *CORS
	// ErrorEnums are the enums whose errors the service returns.
	ErrorEnums []*ErrorEnum
	// Rules are the validators of its requests and of its config.
	Rules *rules.Set

	// What protoc-gen-go-grpc calls things.
	Server, Unsafe, Unimplemented, Client, NewClient, Desc protogen.GoIdent

	settings     func() []Setting // made when first asked for, as files are rendered side by side
	strictErrors bool             // of all methods
	proto        *protogen.Service
}

// FakeMethod names what the fake of a service has for a method: the field that answers
// and the method that returns the calls.
type FakeMethod struct{ Answer, Calls string }

// Package is a Go package that we write or that the user does.
type Package struct {
	Path protogen.GoImportPath
	Name string
	// Dir is the folder, relative to the root of the output.
	Dir string
}

// Ident is a name in the package.
func (p Package) Ident(name string) protogen.GoIdent { return p.Path.Ident(name) }

// Comment is a comment of the contract, without marks and with plain newlines.
type Comment string

// Scale is how many replicas run and what one may use.
type Scale struct {
	Min, Max    uint32
	CPU, Memory string
	// InFlight is how many unary calls in one replica make more of them; 0: CPU alone
	// does.
	InFlight         uint32
	EphemeralStorage string
	// PriorityClass is empty for the cluster's default.
	PriorityClass string
}

// Probes are what Kubernetes asks a replica.
type Probes struct {
	Startup           time.Duration
	ReadinessFailures uint32
}

// GoRuntime is how the Go runtime of a replica is set.
type GoRuntime struct {
	// MemoryLimit is GOMEMLIMIT in bytes: MemoryLimitPercent of Scale.Memory.
	MemoryLimit        int64
	MemoryLimitPercent uint32
	GOGC               uint32
	// Profiles says that the admin port serves them.
	Profiles bool
}

// Ports are the TCP ports of the process. HTTP is always set; whether it is
// opened is Service.HTTP.
type Ports struct{ GRPC, HTTP, Admin uint32 }

// Stop is how the process ends.
type Stop struct {
	DrainDelay, Budget time.Duration
	// Grace is the pod's terminationGracePeriodSeconds.
	Grace int64
}

// Database is the one database of a service.
type Database struct {
	ReadinessTimeout time.Duration
	MaxConnections   uint32
	Secret           string
	// MigratesByJob says that a Job applies the migrations, with the URL in
	// MigrationsSecret.
	MigratesByJob    bool
	MigrationsSecret string
	// IdempotencyRetention is how long answers are kept, where any are.
	IdempotencyRetention time.Duration
	// Network is where the database is; nil where the contract does not say.
	Network *DatabaseNetwork
}

// Method is one RPC with its policy.
type Method struct {
	Name, GoName string
	// FullName is "order.v1.OrderService.CreateOrder", Wire
	// "/order.v1.OrderService/CreateOrder", Field the unexported Go name.
	FullName, Wire, Field string
	Comment               Comment
	Deprecated            bool
	Kind                  Kind
	Input, Output         protogen.GoIdent
	// FullMethod is the constant of Wire that protoc-gen-go-grpc writes.
	FullMethod protogen.GoIdent
	Fake       FakeMethod

	Timeout time.Duration
	Retry   *Retry
	Hedge   *Hedge
	// Concurrency is how many calls are in progress at the most; 0: no limit of
	// the method's own. RateLimit is nil without one, Stream for unary methods.
	Concurrency uint32
	RateLimit   *RateLimit
	Stream      *Stream
	// Idempotent says that a repeated call does no harm, IdempotencyKey which
	// field of the request makes it so, if one does.
	Idempotent     bool
	IdempotencyKey string
	// StoresResponse says that the runtime answers repetitions of the key.
	StoresResponse bool
	// IdempotencyScope is the metadata key that tells apart callers with the same
	// key; empty: none does.
	IdempotencyScope string

	Calls []Call
	// Defers are the calls that are made after the method's transaction.
	Defers []Call
	Errors []*Error
	// MapErrors turns errors of callees into Errors; StrictErrors says that the
	// service is held to what it declares.
	MapErrors    []ErrorMapping
	StrictErrors bool
	Routes       []Route
	// Validator is the Go func that checks a request, or "nil".
	Validator string

	// places are where the contract has the elements of the lists, by its name for
	// the list and by their index in it.
	places map[string][]Origin
	proto  *protogen.Method
}

// Kind is one of the four kinds of RPC.
type Kind string

// The kinds, as in the label grpc_type.
const (
	Unary        Kind = "unary"
	ServerStream Kind = "server_stream"
	ClientStream Kind = "client_stream"
	BidiStream   Kind = "bidi_stream"
)

// Retry is how clients repeat a call.
type Retry struct {
	Attempts                   uint32
	InitialBackoff, MaxBackoff time.Duration
	// Codes are names of google.golang.org/grpc/codes, "Unavailable".
	Codes []string
}

// Call is a method of another service that a method calls.
type Call struct {
	// Service is its full name, Method its name.
	Service, Method string
}

// Route is one HTTP/JSON path of a method.
type Route struct {
	// Verb is the method of HTTP, or "*" for all of them.
	Verb string
	// Path is the template, as the contract has it.
	Path string
	// Body is the field of the request that the body is, "*" where it is all that
	// the path leaves, and empty where there is none. ResponseBody is the field of
	// the response that is answered, empty for all of it.
	Body, ResponseBody string

	template httprule.Template
	at       Origin
}

// Callee is a service that this one calls.
type Callee struct {
	FullName string
	// Field is its name in Deps, Key its name in config.yaml.
	Field, Key string
	Balance    string
	// Connections is how many there are to each replica.
	Connections uint32
	// GatesReadiness says that the caller is ready only while the callee answers.
	GatesReadiness bool
	// Breaker says when the callee is not called; nil for never.
	Breaker *Breaker
	// Methods are those that are called, in the order of the calls.
	Methods []*Called
	// Client is the name of the caller's interface with these methods and no other.
	Client string
	// NewClient makes a client of all methods, Spec is what clients have to know, Policies
	// has a field for each method; each is in a package of the callee.
	NewClient, Spec, Policies protogen.GoIdent
	// Service is the callee itself when the run sees it, else nil.
	Service *Service

	first Origin            // the mention that a fault about the callee points at
	proto *protogen.Service // nil if the run does not see it, which is a fault
}

// Called is a method of a callee.
type Called struct {
	Name, GoName  string
	Kind          Kind
	Input, Output protogen.GoIdent
	// FullMethod is the constant with its name on the wire.
	FullMethod protogen.GoIdent
	// Deferred says that it is called through the outbox too, perhaps twice.
	Deferred bool
}

// Breaker is when calls to a callee stop.
type Breaker struct {
	FailurePercent, MinCalls uint32
	Window, Open             time.Duration
}

// Metric is one business metric.
type Metric struct {
	Name, GoName, Field string
	Type                MetricType
	Help                string
	Labels              []Label
	Buckets             []float64
}

// MetricType is the kind of a business metric: "Counter", "Gauge", "Histogram".
type MetricType string

// Label is one dimension of a metric.
type Label struct {
	Name, Param string
	Values      []string
}

// ErrorEnum is an enum of typed errors.
type ErrorEnum struct {
	FullName, GoName, Source string
	Snake, Domain            string
	Comment                  Comment
	Package                  Package
	Errors                   []*Error
	// Generate says that this run writes the enum's file.
	Generate bool

	proto *protogen.Enum
}

// Error is one typed error.
type Error struct {
	Enum *ErrorEnum
	// Reason is the name of the value, GoName the sentinel, New the constructor.
	Reason, GoName, New string
	Comment             Comment
	Deprecated          bool
	// Code is the name in google.golang.org/grpc/codes.
	Code string
	HTTP uint32
	// Message has its placeholders without their types, Written as the contract has it.
	Message, Written string
	Retryable        bool
	Parameters       []Parameter
	// TripsBreaker is nil where the code decides.
	TripsBreaker *bool
	RetryDelay   time.Duration
	Translations []Translation

	proto *protogen.EnumValue
}

// Config is the message of a service's own settings.
type Config struct {
	FullName string
	Message  protogen.GoIdent
	Fields   []*ConfigField
	// Validator is the Go func that checks the message, or "nil".
	Validator string

	proto *protogen.Message
}

// ConfigField is one setting.
type ConfigField struct {
	// Name is the key in YAML, Env the environment variable, empty where a
	// variable cannot set it.
	Name, Env string
	Comment   Comment
	// Type is for people: "int32", "duration", "list of string".
	Type string
	// Default is YAML on one line, and empty when the contract names none.
	Default string
	Secret  bool
	// SecretKey is the key of a secret value in the service's Secret; empty where no
	// variable can set it. Needed says that the service does not start without it.
	SecretKey string
	Needed    bool
	// Restart says that a change needs one.
	Restart bool
	Fields  []*ConfigField

	values []protoreflect.Value // of the default; several of a list
	proto  *protogen.Field
}
