package main_test

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// plausible are values of string fields that have a form. A field that is not
// here takes any text.
var plausible = map[protoreflect.FullName][]string{
	"svc.v1.Service.name":                   {"order", "a", "shop-order-2", "func", "main", "default", "v1", strings.Repeat("a", 52)},
	"svc.v1.Service.team":                   {"commerce", "1", "true", "a_b.C-d", "0x1F", "null"},
	"svc.v1.Service.system":                 {"shop", "1e3", "no", "1.5"},
	"svc.v1.Service.secret":                 {"keys", "null", "a-b"},
	"svc.v1.Monitoring.interval":            {"15s", "5s", "1m", "5m"},
	"svc.v1.Database.migrations_secret":     {"owner", "true"},
	"svc.v1.Database.readiness_timeout":     {"2s", "1ns", "90s", "1h"},
	"svc.v1.Database.secret":                {"db", "true", "a-b"},
	"svc.v1.Scale.cpu":                      {"250m", "1", "0.5", "2k"},
	"svc.v1.Scale.memory":                   {"128Mi", "32Mi", "1.5Gi", "1T"},
	"svc.v1.Scale.ephemeral_storage":        {"256Mi", "16Mi", "1.5Gi", "1T"},
	"svc.v1.Scale.priority_class":           {"critical", "null", "a-b"},
	"svc.v1.Probes.startup":                 {"1m", "10s", "1h", "12.5s"},
	"svc.v1.Stop.drain_delay":               {"5s", "0s", "1m", "1ms"},
	"svc.v1.Stop.budget":                    {"20s", "90m", "1h", "25.5s"},
	"svc.v1.Method.timeout":                 {"800ms", "0s", "20s", "1ns", "1.5s", "7us"},
	"svc.v1.Retry.initial_backoff":          {"50ms", "1ns"},
	"svc.v1.Retry.max_backoff":              {"1s", "1m", "1h"},
	"svc.v1.Breaker.window":                 {"10s", "1ns"},
	"svc.v1.Breaker.open":                   {"1s", "1h"},
	"svc.v1.Error.retry_delay":              {"1s", "1ns", "2.5h"},
	"svc.v1.Propagated.key":                 {"x-tenant-id", "a", "x-blob-bin", "grpc-x"},
	"svc.v1.Translation.locale":             {"de", "DE", "pt-BR", "x"},
	"svc.v1.Metric.name":                    {"orders_created", "a", "func", "time", "x_1", "len", "http_url"},
	"svc.v1.Label.name":                     {"channel", "m", "type", "string", "id", "a_b", "r"},
	"google.api.HttpRule.body":              {"*", ""},
	"google.api.CustomHttpPattern.kind":     {"HEAD", "*"},
	"svc.v1.Database.idempotency_retention": {"24h", "1s", "8760h"},
	"svc.v1.Hedge.delay":                    {"50ms", "1ns", "1.5s"},
	"svc.v1.HTTPCallee.name":                {"fraud_check", "a", "func", "null", "x_1", "http"},
	"svc.v1.HTTPCallee.url":                 {"https://example.com", "http://127.0.0.1:8080/v1", "http://[::1]/"},
	"svc.v1.HTTPCallee.timeout":             {"5s", "1ns", "1h"},
	"svc.v1.HTTPCallee.cidr":                {"203.0.113.0/24", "2001:db8::/32", "0.0.0.0/0"},
	"svc.v1.CORS.origins":                   {"https://shop.example", "http://localhost:8080", "*"},
	"svc.v1.CORS.max_age":                   {"10m", "1s", "24h"},
	"svc.v1.Network.http_namespaces":        {"kubernetes.io/metadata.name=ingress-nginx", "true=1", "0x1F=null"},
	"svc.v1.Network.monitoring_namespace":   {"monitoring", "1", "null"},
	"svc.v1.NetworkClient.pods":             {"app.kubernetes.io/name=web", "y=no", "1.5=1e3"},
	"svc.v1.NetworkClient.namespace":        {"web", "0", "true"},
	"svc.v1.DatabaseNetwork.cidr":           {"10.20.0.0/24", "::/0"},
	"svc.v1.DatabaseNetwork.pods":           {"cnpg.io/cluster=order", "n=off"},
	"svc.v1.DatabaseNetwork.namespace":      {"db", "1e3"},
	"svc.v1.Limits.message_size":            {"4Mi", "1Ki", "2047Mi", "1.5M"},
	"svc.v1.Limits.header_size":             {"16Ki", "4Ki", "1M"},
	"svc.v1.Stream.max_age":                 {"1h", "0s", "20s"},
	"svc.v1.Stream.idle_timeout":            {"0s", "5s", "1ns"},
	"svc.v1.Stream.send_timeout":            {"0s", "30s"},
}

// numbers are values of number fields; a field that is not here takes any.
var numbers = map[protoreflect.FullName][]uint32{
	"svc.v1.Database.max_connections":       {16, 1, 4294967295},
	"svc.v1.DatabaseNetwork.port":           {5432, 1, 65535},
	"svc.v1.Scale.min":                      {1, 2, 3, 10},
	"svc.v1.Scale.max":                      {10, 11, 4294967295},
	"svc.v1.Scale.in_flight":                {1, 64},
	"svc.v1.Ports.grpc":                     {80, 9000, 65535},
	"svc.v1.Ports.http":                     {443, 8000},
	"svc.v1.Ports.admin":                    {1, 9999},
	"svc.v1.Retry.attempts":                 {1, 2, 5},
	"svc.v1.Breaker.failure_percent":        {1, 50, 100},
	"svc.v1.Propagated.max_bytes":           {1, 1024},
	"svc.v1.Hedge.attempts":                 {2, 3},
	"svc.v1.HTTPCallee.attempts":            {1, 3, 5},
	"svc.v1.Callee.connections":             {1, 2, 16},
	"svc.v1.Limits.concurrency":             {64, 1000, 4294967295},
	"svc.v1.Method.concurrency":             {1, 64},
	"svc.v1.Probes.readiness_failures":      {1, 2, 10},
	"svc.v1.GoRuntime.memory_limit_percent": {50, 90, 95},
	"svc.v1.GoRuntime.gogc":                 {10, 100, 1000},
	"svc.v1.Error.http_status":              {400, 418, 599},
}

// fill sets some of the fields of a message, those of messages in it too.
func (c *fuzzContract) fill(m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		if !c.once(3) || depth == 0 && fd.Message() != nil || fd.IsMap() {
			continue
		}
		if !fd.IsList() {
			m.Set(fd, c.value(m.NewField(fd), fd, depth))
			continue
		}
		list := m.Mutable(fd).List()
		for range 1 + c.below(3) {
			list.Append(c.value(list.NewElement(), fd, depth))
		}
	}
}

func (c *fuzzContract) value(empty protoreflect.Value, fd protoreflect.FieldDescriptor, depth int) protoreflect.Value {
	switch fd.Kind() {
	case protoreflect.MessageKind:
		c.fill(empty.Message(), depth-1)
		return empty
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(c.stringFor(fd))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(c.raw(c.below(5))))
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(!c.once(4))
	case protoreflect.EnumKind:
		values := fd.Enum().Values()
		n := values.Get(c.below(values.Len())).Number()
		if !c.tame && c.once(8) {
			n = 1000
		}
		return protoreflect.ValueOfEnum(n)
	}
	return c.numberFor(fd)
}

func (c *fuzzContract) stringFor(fd protoreflect.FieldDescriptor) string {
	if !c.tame && c.once(4) {
		return c.text()
	}
	references := map[protoreflect.FullName][]string{
		"svc.v1.Callee.service": c.services,
		"svc.v1.Method.calls":   c.calls,
		"svc.v1.Method.defers":  c.calls,
		"svc.v1.Method.errors":  c.errors,

		"svc.v1.ErrorMapping.from": c.errors,
		"svc.v1.ErrorMapping.to":   c.errors,
	}
	for _, m := range c.messages {
		if m.file > c.visible {
			continue
		}
		references["svc.v1.Service.config"] = append(references["svc.v1.Service.config"], m.fullName)
	}
	switch known := slices.Concat(plausible[fd.FullName()], references[fd.FullName()]); {
	case len(known) > 0:
		return known[c.below(len(known))]
	case fd.Parent().FullName() == "google.api.HttpRule":
		return "/v1/" + c.one("a", "{id}", "{a.b=x/*}", "**", "x:verb", c.text())
	}
	return c.text()
}

func (c *fuzzContract) numberFor(fd protoreflect.FieldDescriptor) protoreflect.Value {
	n := uint32(c.below(256))
	if known := numbers[fd.FullName()]; len(known) > 0 && (c.tame || !c.once(4)) {
		n = known[int(n)%len(known)]
	}
	switch fd.Kind() {
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(int32(n) - 1)
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(int64(n) - 1)
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(uint64(n) << 56)
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(float32(n) / 128)
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(float64(n) / 255)
	}
	return protoreflect.ValueOfUint32(n)
}
