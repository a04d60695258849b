package model

import (
	"math"
	"path"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/compiler/protogen"

	"github.com/protosvc/protosvc/internal/defaults"
	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/gocmd"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/rules"
)

const (
	maxPort            = 65535
	defaultGRPCPort    = 9090
	defaultHTTPPort    = 8080
	defaultAdminPort   = 9091
	defaultMin         = 2
	defaultMax         = 4
	defaultCPU         = "100m"
	defaultMemory      = "128Mi"
	defaultDrainDelay  = 5 * time.Second
	defaultBudget      = 20 * time.Second
	defaultSampleRatio = 0.01
	defaultStorage     = "256Mi"
	defaultStartup     = time.Minute
	defaultFailures    = 2
	defaultGOGC        = 100 // Go's own

	defaultMemoryPercent = 90
	defaultImageTag      = "dev"
)

func (b *builder) service(f *protogen.File, p *protogen.Service) *Service {
	options := extension[*svcv1.Service](p.Desc, svcv1.E_Service)
	s := &Service{
		FullName:      string(p.Desc.FullName()),
		GoName:        identifier(p.GoName),
		Source:        f.Desc.Path(),
		Snake:         snake(p.GoName),
		Comment:       commentOf(p.Comments),
		Deprecated:    deprecated(p.Desc),
		Team:          options.GetTeam(),
		Package:       packageOf(b.options.Root, f.Desc.Package()),
		Server:        f.GoImportPath.Ident(p.GoName + "Server"),
		Unsafe:        f.GoImportPath.Ident("Unsafe" + p.GoName + "Server"),
		Unimplemented: f.GoImportPath.Ident("Unimplemented" + p.GoName + "Server"),
		Client:        f.GoImportPath.Ident(p.GoName + "Client"),
		NewClient:     f.GoImportPath.Ident("New" + p.GoName + "Client"),
		Desc:          f.GoImportPath.Ident(p.GoName + "_ServiceDesc"),
		proto:         p,
	}
	b.identity(s, options)
	b.checkGoPackage(f, s)
	s.Scale = b.scale(s, options.GetScale())
	s.Probes = b.probes(s, options.GetProbes())
	s.GoRuntime = b.goRuntime(s, options.GetGoRuntime())
	s.Ports = b.ports(s, options.GetPorts())
	s.Limits = b.limits(s, options.GetLimits())
	s.Monitoring = b.monitoring(s, options.GetMonitoring())
	s.SampleRatio = b.sampleRatio(s, options)
	s.Database = b.database(s, options.GetDatabase())
	s.Metrics = b.metrics(s, options)
	s.Propagate = b.propagated(s, options)
	s.strictErrors = b.strictErrors(s, options)
	for _, m := range p.Methods {
		s.Methods = append(s.Methods, b.method(s, m))
	}
	b.checkMethodNames(s)
	s.nameFakes()
	b.checkRoutes(s)
	s.CORS = b.cors(s, options.GetHttp().GetCors())
	b.checkInFlight(s)
	b.checkMemory(s, options)
	s.Network = b.network(s, options.GetNetwork())
	s.Stop = b.stop(s, options.GetStop())
	s.Callees = b.callees(s, options)
	s.Deferred = deferred(s.Callees)
	b.checkOutbox(s)
	b.checkRetention(s, options.GetDatabase())
	s.HTTPCallees = b.httpCallees(s, options)
	s.ErrorEnums = enumsOf(s, b)
	b.rules(s, p, b.config(s, options))
	return s
}

func (s *Service) origin() Origin { return Origin{desc: s.proto.Desc, ext: svcv1.E_Service} }

// HTTP reports whether the service has an HTTP/JSON side.
func (s *Service) HTTP() bool {
	return slices.ContainsFunc(s.Methods, func(m *Method) bool { return len(m.Routes) > 0 })
}

// identity decides everything that follows from the name.
func (b *builder) identity(s *Service, o *svcv1.Service) {
	s.Name = orDefault(o.GetName(), deployableName(s.proto.Desc.FullName()))
	if o.GetName() != "" && (!kebabName.MatchString(s.Name) || len(s.Name) > maxServiceName) {
		b.fault(s.origin().in("name"), serviceName, s.Name, maxServiceName, "order")
	} else if !gocmd.Ordinary(s.Name) {
		b.fault(s.origin().in("name"), nameFolder, s.Name)
	}
	if of, taken := strings.CutSuffix(s.Name, headlessSuffix); taken {
		b.fault(s.origin().in("name"), nameHeadless, s.Name, of)
	}
	s.System = orDefault(o.GetSystem(), s.Name)
	for field, value := range map[string]string{"system": o.GetSystem(), "team": o.GetTeam()} {
		if value != "" && !labelValue.MatchString(value) {
			b.fault(s.origin().in(field), labelValueForm, value)
		}
	}
	s.Secret = orDefault(o.GetSecret(), s.Name+settingsSuffix)
	b.checkObjectName(s.origin().in("secret"), secretName, o.GetSecret())
	if system := o.GetSystem(); len(system) > maxSystem && labelValue.MatchString(system) {
		b.fault(s.origin().in("system"), systemLength, s.System, maxSystem)
	}
	s.EnvPrefix = envName(s.Name)
	s.Image, s.ImageTag = path.Join(b.options.Registry, s.Name), orDefault(b.options.Tag, defaultImageTag)
	s.Deploy = "deploy/" + s.Name
	s.Fakes = newPackage(b.options.Root, s.Package.Dir+fakesSuffix)
	s.Main = newPackage(b.options.Root, s.Deploy+"/cmd/"+s.Name)
	if b.options.Handlers != "" {
		name := goPackageName(s.Name)
		s.Handler = newPackage(b.options.Handlers, name)
	}
}

func (b *builder) scale(s *Service, o *svcv1.Scale) Scale {
	at := s.origin().in("scale")
	scale := Scale{
		Min:    orDefault(o.GetMin(), defaultMin),
		CPU:    orDefault(o.GetCpu(), defaultCPU),
		Memory: orDefault(o.GetMemory(), defaultMemory),

		InFlight:         o.GetInFlight(),
		EphemeralStorage: orDefault(o.GetEphemeralStorage(), defaultStorage),
		PriorityClass:    o.GetPriorityClass(),
	}
	scale.Max = orDefault(o.GetMax(), max(scale.Min, defaultMax))
	if scale.Max < scale.Min {
		b.fault(at.in("max"), scaleRange, scale.Max, scale.Min)
	}
	if _, err := quantity(scale.CPU, "250m"); err != nil {
		b.reject(at.in("cpu"), err)
	}
	if b.bytes(at.in("memory"), scaleMemory, scale.Memory, defaultMemory, "32Mi", "1024Ti") == 0 {
		scale.Memory = "" // nothing is held against it
	}
	b.bytes(at.in("ephemeral_storage"), scaleStorage, scale.EphemeralStorage, defaultStorage, "16Mi", "1024Ti")
	b.checkObjectName(at.in("priority_class"), priorityClassName, scale.PriorityClass)
	return scale
}

// checkInFlight refuses what would never make a replica more. It is read after the
// methods and the limits.
func (b *builder) checkInFlight(s *Service) {
	at, n := s.origin().in("scale").in("in_flight"), s.Scale.InFlight
	unary := slices.ContainsFunc(s.Methods, func(m *Method) bool { return m.Kind == Unary })
	switch {
	case n == 0:
	case s.Scale.Max == s.Scale.Min:
		b.fault(at, inFlightFixed, n, s.Scale.Min)
	case !unary:
		b.fault(at, inFlightStreams, n)
	case n > s.Limits.Concurrency:
		b.fault(at, inFlightLimit, n, s.Limits.Concurrency)
	}
}

// The bounds of how long a replica may take to start.
const (
	minStartup = 10 * time.Second
	maxStartup = time.Hour
)

func (b *builder) probes(s *Service, o *svcv1.Probes) Probes {
	at := s.origin().in("probes")
	startup, err := duration(o.GetStartup(), defaultStartup)
	if err != nil {
		b.reject(at.in("startup"), err)
	} else if startup < minStartup || startup > maxStartup {
		b.fault(at.in("startup"), probeStartup, startup, minStartup, maxStartup)
	}
	return Probes{
		Startup:           startup,
		ReadinessFailures: b.within(at.in("readiness_failures"), probeFailures, orDefault(o.GetReadinessFailures(), defaultFailures), 1, 10),
	}
}

func (b *builder) goRuntime(s *Service, o *svcv1.GoRuntime) GoRuntime {
	at := s.origin().in("go_runtime")
	percent := b.within(at.in("memory_limit_percent"), goRuntimeRange, orDefault(o.GetMemoryLimitPercent(), defaultMemoryPercent), 50, 95)
	gogc := b.within(at.in("gogc"), goRuntimeRange, orDefault(o.GetGogc(), defaultGOGC), 10, 1000)
	return GoRuntime{
		MemoryLimit:        s.Scale.Bytes() * int64(percent) / 100,
		MemoryLimitPercent: percent,
		GOGC:               gogc,
		Profiles:           o == nil || o.Profiles == nil || o.GetProfiles(),
	}
}

// within refuses a number that is out of bounds with a diagnostic of its own.
func (b *builder) within(at Origin, outside finding, n, least, most uint32) uint32 {
	if n < least || n > most {
		b.fault(at, outside, n, least, most)
	}
	return n
}

func (b *builder) ports(s *Service, o *svcv1.Ports) Ports {
	ports := Ports{
		GRPC:  orDefault(o.GetGrpc(), defaultGRPCPort),
		HTTP:  orDefault(o.GetHttp(), defaultHTTPPort),
		Admin: orDefault(o.GetAdmin(), defaultAdminPort),
	}
	seen := map[uint32]string{}
	for _, p := range []struct {
		field string
		port  uint32
	}{{"grpc", ports.GRPC}, {"http", ports.HTTP}, {"admin", ports.Admin}} {
		at := s.origin().in("ports").in(p.field)
		if p.port > maxPort {
			b.fault(at, portRange, p.port)
		} else if other := seen[p.port]; other != "" {
			b.fault(at, portTwice, p.port, other)
		}
		seen[p.port] = p.field
	}
	return ports
}

func (b *builder) sampleRatio(s *Service, o *svcv1.Service) float64 {
	if o == nil || o.TraceSampleRatio == nil {
		return defaultSampleRatio
	}
	ratio := o.GetTraceSampleRatio()
	if !(ratio >= 0 && ratio <= 1) {
		b.fault(s.origin().in("trace_sample_ratio"), sampleRatio, ratio)
	}
	return ratio
}

func (b *builder) database(s *Service, o *svcv1.Database) *Database {
	if o == nil {
		return nil
	}
	at := s.origin().in("database")
	timeout, err := positive(o.GetReadinessTimeout(), defaults.CheckTimeout)
	if err != nil {
		b.reject(at.in("readiness_timeout"), err)
	}
	db := &Database{
		ReadinessTimeout: timeout,
		MaxConnections:   orDefault(o.GetMaxConnections(), defaults.DatabaseConnections),
		Secret:           orDefault(o.GetSecret(), s.Name+databaseSuffix),
		MigratesByJob:    o.GetMigrations() == svcv1.Migrations_MIGRATIONS_JOB,

		IdempotencyRetention: b.retention(s, o),
		Network:              b.databaseNetwork(at.in("network"), o.GetNetwork()),
	}
	b.checkObjectName(at.in("secret"), secretName, o.GetSecret())
	db.MigrationsSecret = orDefault(o.GetMigrationsSecret(), db.Secret)
	b.checkObjectName(at.in("migrations_secret"), secretName, o.GetMigrationsSecret())
	if o.GetMigrationsSecret() != "" && !db.MigratesByJob {
		b.fault(at.in("migrations_secret"), migrationsSecretUseless)
	}
	if _, known := svcv1.Migrations_name[int32(o.GetMigrations())]; !known {
		b.fault(at.in("migrations"), migrationsUnknown, o.GetMigrations())
	}
	return db
}

// checkObjectName refuses what cannot be the name of a Kubernetes object. A name that
// follows from that of the service is empty here: it is as good as that one.
func (b *builder) checkObjectName(at Origin, bad finding, name string) {
	if name != "" && (!kebabName.MatchString(name) || len(name) > maxObjectName) {
		b.fault(at, bad, name)
	}
}

// stop is read after the methods: its budget must cover the longest of them.
func (b *builder) stop(s *Service, o *svcv1.Stop) Stop {
	at := s.origin().in("stop")
	drain, err := duration(o.GetDrainDelay(), defaultDrainDelay)
	if err != nil {
		b.reject(at.in("drain_delay"), err)
	}
	budget, err := positive(o.GetBudget(), defaultBudget)
	if err != nil {
		b.reject(at.in("budget"), err)
	}
	for _, m := range s.Methods {
		if m.Kind == Unary && budget > 0 && m.Timeout > budget {
			b.fault(at.in("budget"), stopBudget, budget, m.Timeout, m.Name)
		}
	}
	grace := (drain + budget + defaults.StopReserve).Seconds()
	return Stop{DrainDelay: drain, Budget: budget, Grace: int64(math.Ceil(grace))}
}

// checkMethodNames refuses RPCs that are one name in Go, or that of what every
// server embeds.
func (b *builder) checkMethodNames(s *Service) {
	first := map[string]string{s.Unsafe.GoName: "what protoc-gen-go-grpc makes of the service"}
	for _, m := range s.Methods {
		if other := first[m.GoName]; other != "" {
			b.fault(Origin{desc: m.proto.Desc}, methodNameTwice, m.GoName, other)
			continue
		}
		first[m.GoName] = whereIs(m.proto.Desc)
	}
}

// enumsOf are the enums of errors that a service returns: those of its own file
// and those that its methods declare.
func enumsOf(s *Service, b *builder) []*ErrorEnum {
	var out []*ErrorEnum
	add := func(e *ErrorEnum) {
		if e != nil && !slices.Contains(out, e) {
			out = append(out, e)
		}
	}
	for _, p := range allEnums(b.plugin.FilesByPath[s.Source]) {
		add(b.enums[p.Desc.FullName()])
	}
	for _, m := range s.Methods {
		for _, e := range m.Errors {
			add(e.Enum)
		}
	}
	return out
}

// rules generates the validators of the service's requests and of its config.
func (b *builder) rules(s *Service, p *protogen.Service, config *protogen.Message) {
	var roots []*protogen.Message
	for _, m := range p.Methods {
		roots = append(roots, m.Input)
	}
	if config != nil {
		roots = append(roots, config)
	}
	set, faults := rules.Build(roots, s.GoName, b.ofOthers)
	b.faults.Merge(faults)
	s.Rules = set
	validator := func(m *protogen.Message) string {
		if name, ok := set.Validator(m); ok {
			return name
		}
		return "nil"
	}
	for _, m := range s.Methods {
		m.Validator = validator(m.proto.Input)
	}
	if config != nil {
		s.Config.Validator = validator(config)
		b.checkDefaults(s.Config.Fields, set)
		markNeeded(s.Config.Fields, set)
	}
}
