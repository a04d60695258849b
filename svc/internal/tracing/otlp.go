package tracing

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/protosvc/protosvc/svc/internal/wire"
)

// otlpClient sends spans to a collector by OTLP over gRPC: the half of OpenTelemetry's
// exporter that reaches the network. OpenTelemetry's own, otlptracegrpc, costs every image
// 190 kB more, for retries that gRPC has and options that nobody can reach here.
type otlpClient struct {
	conn    *grpc.ClientConn
	headers metadata.MD
	timeout time.Duration
}

// otlpRetries has gRPC try an export again where OTLP says that a client may
// (https://opentelemetry.io/docs/specs/otlp/#failures), within the timeout of
// the export. RESOURCE_EXHAUSTED is not among them: it may be tried again only if
// a detail of the error says so, which gRPC does not read.
const otlpRetries = `{"methodConfig": [{"name": [{}], "retryPolicy": {
	"maxAttempts": 5, "initialBackoff": "0.5s", "maxBackoff": "5s", "backoffMultiplier": 2,
	"retryableStatusCodes": ["CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"]
}}]}`

// otlpRequestBytes is the largest request that gRPC keeps to send it again. It is above
// what the SDK's batch of 512 spans takes.
const otlpRequestBytes = 4 << 20

// newOTLPClient returns the client that the OTEL_EXPORTER_OTLP_* variables describe. An
// error names the variable; nothing is dialled yet.
func newOTLPClient() (*otlpClient, error) {
	target, security, err := otlpTarget()
	if err != nil {
		return nil, err
	}
	headers, err := otlpHeaders()
	if err != nil {
		return nil, err
	}
	timeout, err := otlpTimeout()
	if err != nil {
		return nil, err
	}
	calls := []grpc.CallOption{grpc.MaxRetryRPCBufferSize(otlpRequestBytes)}
	if otlp("COMPRESSION").is(gzip.Name) {
		calls = append(calls, grpc.UseCompressor(gzip.Name))
	}
	conn, err := grpc.NewClient(target,
		grpc.WithTransportCredentials(security),
		grpc.WithDefaultServiceConfig(otlpRetries),
		grpc.WithDefaultCallOptions(calls...),
	)
	if err != nil {
		return nil, otlp("ENDPOINT").fault(err)
	}
	return &otlpClient{conn, headers, timeout}, nil
}

// Start does nothing: the first export dials.
func (c *otlpClient) Start(context.Context) error { return nil }

// Stop ends the connection, and an export that is under way.
func (c *otlpClient) Stop(context.Context) error { return c.conn.Close() }

// UploadTraces exports spans. It fails, too, if the collector has refused some of them.
func (c *otlpClient) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	ctx, cancel := context.WithTimeout(metadata.NewOutgoingContext(ctx, c.headers), c.timeout)
	defer cancel()
	answer := &emptypb.Empty{}
	if err := c.conn.Invoke(ctx, otlpExport, &tracepb.TracesData{ResourceSpans: spans}, answer); err != nil {
		return err
	}
	if count, why := refusedSpans(wire.Fields(answer)); count > 0 {
		return fmt.Errorf("%d spans refused: %s", count, why)
	}
	return nil
}

// otlpExport is called without the package that is generated for it, which links all of
// grpc-gateway. TracesData has the field of its request, as OTLP promises.
const otlpExport = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

// The fields of an ExportTraceServiceResponse, and of the ExportTracePartialSuccess in it.
const (
	partialSuccess protowire.Number = 1
	rejectedSpans  protowire.Number = 1
	errorMessage   protowire.Number = 2
)

// refusedSpans reads what an answer says of spans that were not taken. The last of a field
// counts, and what is no answer says nothing.
func refusedSpans(answer []byte) (count uint64, why string) {
	wire.Each(answer, func(number protowire.Number, kind protowire.Type, value []byte) {
		if number != partialSuccess || kind != protowire.BytesType {
			return
		}
		partial, _ := protowire.ConsumeBytes(value)
		wire.Each(partial, func(number protowire.Number, kind protowire.Type, value []byte) {
			switch {
			case number == rejectedSpans && kind == protowire.VarintType:
				count, _ = protowire.ConsumeVarint(value)
			case number == errorMessage && kind == protowire.BytesType:
				text, _ := protowire.ConsumeBytes(value)
				why = string(text)
			}
		})
	})
	return count, why
}

// setting is what one of the OTEL_EXPORTER_OTLP_* variables says.
type setting struct{ variable, value string }

// otlp reads OTEL_EXPORTER_OTLP_TRACES_name, or else OTEL_EXPORTER_OTLP_name. An empty
// variable is as good as none.
func otlp(name string) setting {
	for _, prefix := range []string{"OTEL_EXPORTER_OTLP_TRACES_", "OTEL_EXPORTER_OTLP_"} {
		if value := strings.TrimSpace(os.Getenv(prefix + name)); value != "" {
			return setting{prefix + name, value}
		}
	}
	return setting{"OTEL_EXPORTER_OTLP_" + name, ""}
}

func (s setting) fault(err error) error { return fmt.Errorf("%s: %w", s.variable, err) }

// is compares without regard to case, as OpenTelemetry does where a variable chooses
// among a few values.
func (s setting) is(value string) bool { return strings.EqualFold(s.value, value) }

// otlpTarget returns where the collector is and how it is spoken to. A URL says by its
// scheme whether it is with TLS; any other endpoint is a target of gRPC, such as
// collector:4317, where INSECURE says it.
func otlpTarget() (string, credentials.TransportCredentials, error) {
	endpoint := otlp("ENDPOINT")
	target, plain := endpoint.value, otlp("INSECURE").is("true") || strings.HasPrefix(endpoint.value, "unix:")
	if u, err := url.Parse(endpoint.value); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		if u.Host == "" {
			return "", nil, endpoint.fault(fmt.Errorf("%q has no host", endpoint.value))
		}
		target, plain = u.Host, u.Scheme == "http"
	}
	if plain {
		return target, insecure.NewCredentials(), nil
	}
	config, err := otlpTLS()
	return target, credentials.NewTLS(config), err
}

// otlpTLS returns the certificates that the variables name, or else those of the system.
func otlpTLS() (*tls.Config, error) {
	config := &tls.Config{}
	if authorities := otlp("CERTIFICATE"); authorities.value != "" {
		pem, err := os.ReadFile(authorities.value)
		if err != nil {
			return nil, authorities.fault(err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, authorities.fault(fmt.Errorf("no certificate in %s", authorities.value))
		}
	}
	if own := otlp("CLIENT_CERTIFICATE"); own.value != "" {
		pair, err := tls.LoadX509KeyPair(own.value, otlp("CLIENT_KEY").value)
		if err != nil {
			return nil, own.fault(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// otlpHeaders returns what travels with each export: "key=value,key=value", with
// values escaped as in URLs. Since they are credentials as a rule, no error shows one.
func otlpHeaders() (metadata.MD, error) {
	headers, all := metadata.MD{}, otlp("HEADERS")
	for pair := range strings.SplitSeq(all.value, ",") {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		key, escaped, ok := strings.Cut(pair, "=")
		value, err := url.PathUnescape(strings.TrimSpace(escaped))
		if key = strings.TrimSpace(key); !ok || key == "" || err != nil {
			return nil, all.fault(errors.New("want key=value,key=value with values escaped as in URLs"))
		}
		headers.Append(key, value)
	}
	return headers, nil
}

// otlpTimeout returns how long an export may take, with all its attempts: 10 s unless
// the variable says otherwise, in milliseconds.
func otlpTimeout() (time.Duration, error) {
	timeout := otlp("TIMEOUT")
	if timeout.value == "" {
		return 10 * time.Second, nil
	}
	milliseconds, err := strconv.ParseUint(timeout.value, 10, 31)
	if err != nil || milliseconds == 0 {
		return 0, timeout.fault(fmt.Errorf("%q is not a number of milliseconds above 0", timeout.value))
	}
	return time.Duration(milliseconds) * time.Millisecond, nil
}
