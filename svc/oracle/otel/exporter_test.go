package otel_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/stats"

	"github.com/protosvc/protosvc/svc/internal/tracing"
)

// export is what a collector sees of an exporter.
type export struct {
	Span, Compression string
	Headers           map[string][]string
	Certificate       string // the client's name
}

// witness is a collector that tells what it sees.
type witness struct {
	collectorpb.UnimplementedTraceServiceServer
	compression string // of the last call
	seen        chan export
}

func (w *witness) Export(ctx context.Context, in *collectorpb.ExportTraceServiceRequest) (*collectorpb.ExportTraceServiceResponse, error) {
	e := export{
		Span:        in.GetResourceSpans()[0].GetScopeSpans()[0].GetSpans()[0].GetName(),
		Compression: w.compression,
		Headers:     map[string][]string{},
	}
	headers, _ := metadata.FromIncomingContext(ctx)
	for key, values := range headers {
		if strings.HasPrefix(key, "x-") {
			e.Headers[key] = values
		}
	}
	caller, _ := peer.FromContext(ctx)
	if info, ok := caller.AuthInfo.(credentials.TLSInfo); ok && len(info.State.PeerCertificates) > 0 {
		e.Certificate = info.State.PeerCertificates[0].Subject.CommonName
	}
	w.seen <- e
	return &collectorpb.ExportTraceServiceResponse{}, nil
}

func (w *witness) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (w *witness) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (w *witness) HandleConn(context.Context, stats.ConnStats)                       {}
func (w *witness) HandleRPC(_ context.Context, s stats.RPCStats) {
	if header, ok := s.(*stats.InHeader); ok {
		w.compression = header.Compression
	}
}

// listen starts the witness, and returns its address.
func (w *witness) listen(t *testing.T, options ...grpc.ServerOption) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(append(options, grpc.StatsHandler(w))...)
	collectorpb.RegisterTraceServiceServer(server, w)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

// newCertificate writes a certificate that signs itself, and its key.
func newCertificate(t *testing.T, name string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	must(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	folder := t.TempDir()
	write := func(file, kind string, content []byte) string {
		path := filepath.Join(folder, file)
		must(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600))
		return path
	}
	return write("tls.crt", "CERTIFICATE", der), write("tls.key", "PRIVATE KEY", pkcs8)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestExporter has a service's exporter and OpenTelemetry's own read the same
// variables, and wants the collector to see the same.
func TestExporter(t *testing.T) {
	w := &witness{seen: make(chan export, 1)}
	plain := w.listen(t)
	certificate, key := newCertificate(t, "collector")
	clientCertificate, clientKey := newCertificate(t, "order")
	pair, err := tls.LoadX509KeyPair(certificate, key)
	must(t, err)
	secure := w.listen(t, grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequestClientCert})))
	trusted := map[string]string{"ENDPOINT": "https://" + secure, "CERTIFICATE": certificate}

	for _, test := range []struct {
		name      string
		variables map[string]string
		more      map[string]string
	}{
		{name: "URL", variables: map[string]string{"ENDPOINT": "http://" + plain}},
		{name: "URL in capitals, with a path", variables: map[string]string{"ENDPOINT": "HTTP://" + plain + "/v1"}},
		{name: "of traces alone", variables: map[string]string{"ENDPOINT": "http://127.0.0.1:1", "TRACES_ENDPOINT": "http://" + plain}},
		{name: "target", variables: map[string]string{"ENDPOINT": "dns:///" + plain, "INSECURE": "true"}},
		{name: "headers", variables: map[string]string{"ENDPOINT": "http://" + plain}, more: map[string]string{
			"HEADERS": "x-tenant=a%20b, X-Second = c=d,",
		}},
		{name: "headers of traces", variables: map[string]string{"ENDPOINT": "http://" + plain}, more: map[string]string{
			"HEADERS": "x-tenant=all", "TRACES_HEADERS": "x-tenant=traces",
		}},
		{name: "gzip", variables: map[string]string{"ENDPOINT": "http://" + plain, "COMPRESSION": "gzip"}},
		{name: "no compression", variables: map[string]string{"ENDPOINT": "http://" + plain, "COMPRESSION": "none"}},
		{name: "TLS", variables: trusted},
		{name: "TLS with an own certificate", variables: trusted, more: map[string]string{
			"CLIENT_CERTIFICATE": clientCertificate, "CLIENT_KEY": clientKey,
		}},
		{name: "TLS whatever INSECURE says", variables: trusted, more: map[string]string{"INSECURE": "false"}},
		{name: "timeout", variables: map[string]string{"ENDPOINT": "http://" + plain, "TIMEOUT": "5000"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, variables := range []map[string]string{test.variables, test.more} {
				for name, value := range variables {
					t.Setenv("OTEL_EXPORTER_OTLP_"+name, value)
				}
			}
			oracle, err := otlptracegrpc.New(t.Context())
			must(t, err)
			want := w.sees(t, sdktrace.NewTracerProvider(sdktrace.WithSyncer(oracle)))
			ours, err := tracing.New(t.Context(), tracing.Options{SampleRatio: 1})
			must(t, err)
			if diff := cmp.Diff(want, w.sees(t, ours.TracerProvider().(*sdktrace.TracerProvider))); diff != "" {
				t.Errorf("-otlptracegrpc +ours\n%s", diff)
			}
		})
	}
}

// TestCompressionInCapitals: OpenTelemetry's exporter would compress nothing, and say
// nothing either.
func TestCompressionInCapitals(t *testing.T) {
	w := &witness{seen: make(chan export, 1)}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+w.listen(t))
	t.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "GZIP")
	p, err := tracing.New(t.Context(), tracing.Options{SampleRatio: 1})
	must(t, err)
	if got := w.sees(t, p.TracerProvider().(*sdktrace.TracerProvider)).Compression; got != "gzip" {
		t.Errorf("got compression %q", got)
	}
}

// sees returns what the witness sees of a span from a provider, which it stops.
func (w *witness) sees(t *testing.T, p *sdktrace.TracerProvider) export {
	t.Helper()
	_, span := p.Tracer("test").Start(t.Context(), "work")
	span.End()
	must(t, p.Shutdown(t.Context()))
	select {
	case e := <-w.seen:
		return e
	default:
		t.Fatal("the collector has seen nothing")
		return export{}
	}
}
