// Package httppage_test holds docs/http.md to what it says: the contract of the page is
// served, and each of its examples is played over a socket.
package httppage_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	_ "google.golang.org/genproto/googleapis/api/annotations"
	_ "google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
	_ "google.golang.org/protobuf/types/known/emptypb"
	_ "google.golang.org/protobuf/types/known/fieldmaskpb"
	_ "google.golang.org/protobuf/types/known/timestamppb"
	_ "google.golang.org/protobuf/types/known/wrapperspb"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/internal/gateway"
	"github.com/protosvc/protosvc/svc/oracle/dynamic"
)

const page = "../../../docs/http.md"

var update = flag.Bool("update", false, "write the answers of the service into docs/http.md")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// block is a fenced block of the page: the language, and what is in it.
var block = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

func TestExamples(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	address, played := "", 0
	out := block.ReplaceAllFunc(text, func(b []byte) []byte {
		parts := block.FindSubmatch(b)
		switch string(parts[1]) {
		case "proto":
			address = serve(t, parts[2])
		case "http":
			played++
			return fmt.Appendf(nil, "```http\n%s```", parse(t, string(parts[2])).play(t, address))
		}
		return b
	})
	if played < 30 {
		t.Errorf("%d examples found, want 30 at least", played)
	}
	if *update && !bytes.Equal(out, text) {
		if err := os.WriteFile(page, out, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// serve serves the contract, and returns the address.
func serve(t *testing.T, contract []byte) string {
	t.Helper()
	file, err := dynamic.Compile(t.Context(), "notes.proto", string(contract))
	if err != nil {
		t.Fatal(err)
	}
	service := file.Services().Get(0)
	options, _ := proto.GetExtension(service.Options(), svcv1.E_Service).(*svcv1.Service)
	mux, err := dynamic.NewMux(service, notes, gateway.Options{
		Errors: errors.Table{notFound}, CORS: gateway.CORS{Origins: options.GetHttp().GetCors().GetOrigins()},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

var notFound = &errors.Code{
	Domain: "notes.example.com", Reason: "NOTE_GONE", GRPC: codes.NotFound, HTTP: http.StatusGone, Message: "note {id} was deleted",
}

// notes is the service of the page. What it answers is the request, unless the page says
// something else.
func notes(ctx context.Context, method protoreflect.MethodDescriptor, in *dynamicpb.Message, send func(proto.Message) error) error {
	switch method.Name() {
	case "DeleteNote":
		return notFound.New("id", textOf(in, "id"))
	case "WatchNote":
		return watch(method, in, send)
	case "ScanNote":
		return send(in.Get(in.Descriptor().Fields().ByName("scan")).Message().Interface())
	case "GetNote":
		return get(ctx, in, send)
	}
	return send(in)
}

func get(ctx context.Context, in *dynamicpb.Message, send func(proto.Message) error) error {
	md, _ := metadata.FromIncomingContext(ctx)
	switch textOf(in, "id") {
	case "slow":
		<-ctx.Done()
		return ctx.Err()
	case "meta":
		_ = grpc.SetHeader(ctx, metadata.Pairs("color", strings.Join(md["color"], ""), "language", strings.Join(md["accept-language"], "")))
		_ = grpc.SetTrailer(ctx, metadata.Pairs("took", "3ms"))
	}
	return send(in)
}

// watch sends a note twice, and fails if it is the note "torn".
func watch(method protoreflect.MethodDescriptor, in *dynamicpb.Message, send func(proto.Message) error) error {
	id := textOf(in, "id")
	for _, title := range []string{"Milk", "Milk, eggs"} {
		note := dynamicpb.NewMessage(method.Output())
		fields := note.Descriptor().Fields()
		note.Set(fields.ByName("id"), protoreflect.ValueOfString(id))
		note.Set(fields.ByName("title"), protoreflect.ValueOfString(title))
		if err := send(note); err != nil {
			return err
		}
		if id == "torn" {
			return notFound.New("id", id)
		}
	}
	return nil
}

func textOf(m *dynamicpb.Message, field protoreflect.Name) string {
	return m.Get(m.Descriptor().Fields().ByName(field)).String()
}

// example is a request, and what is answered: the status line, some headers, the body.
type example struct {
	request       string // as in the page
	status        string
	headers, body string
}

func parse(t *testing.T, text string) example {
	t.Helper()
	request, answer, ok := strings.Cut("\n"+text, "\nHTTP/1.1 ")
	if !ok {
		t.Fatalf("no answer in the example:\n%s", text)
	}
	head, body, _ := strings.Cut(answer, "\n\n")
	status, headers, _ := strings.Cut(strings.TrimSuffix(head, "\n"), "\n")
	return example{strings.Trim(request, "\n"), status, headers, strings.TrimSuffix(body, "\n")}
}

// play sends the request, compares the answer, and returns the example with the answer
// that came.
func (e example) play(t *testing.T, address string) string {
	t.Helper()
	response, body := e.send(t, address)
	got := example{request: e.request, status: response.Status, headers: e.headersOf(response), body: strings.TrimSuffix(body, "\n")}
	want := e
	want.body = compact(e.body)
	if !*update && got != want {
		t.Errorf("%s\nanswer:\n%s\nthe page says:\n%s", e.request, got.answer(), want.answer())
	}
	return got.request + "\n\n" + got.answer()
}

// headersOf are the headers that the page shows.
func (e example) headersOf(response *http.Response) string {
	var out []string
	for line := range strings.Lines(e.headers) {
		name, _, _ := strings.Cut(line, ":")
		values := response.Header.Values(name)
		if len(values) == 0 {
			values = response.Trailer.Values(name)
		}
		out = append(out, name+": "+strings.Join(values, ", "))
	}
	return strings.Join(out, "\n")
}

func (e example) send(t *testing.T, address string) (*http.Response, string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	head, body, _ := strings.Cut(e.request, "\n\n")
	line, headers, _ := strings.Cut(head, "\n")
	wire := line + " HTTP/1.1\nHost: notes.example.com\nConnection: close\n"
	if headers != "" {
		wire += headers + "\n"
	}
	if body != "" {
		wire += fmt.Sprintf("Content-Length: %d\n", len(body))
	}
	if _, err := io.WriteString(conn, strings.ReplaceAll(wire, "\n", "\r\n")+"\r\n"+body); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(line, " ")
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return response, string(read)
}

func (e example) answer() string {
	out := "HTTP/1.1 " + e.status + "\n"
	if e.headers != "" {
		out += e.headers + "\n"
	}
	if e.body != "" {
		out += "\n" + broad(e.body) + "\n"
	}
	return out
}

// compact is a body as the service writes it.
func compact(body string) string {
	var out bytes.Buffer
	if json.Compact(&out, []byte(body)) != nil {
		return body
	}
	return out.String()
}

// broad is a body as the page has it: on several lines if it is long.
func broad(body string) string {
	var out bytes.Buffer
	if len(body) < 100 || json.Indent(&out, []byte(body), "", "  ") != nil {
		return body
	}
	return out.String()
}
