package server_test

import (
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// garbage is a codec that sends bytes which are no message.
type garbage struct{}

func (garbage) Marshal(any) ([]byte, error) { return []byte{0xff, 0xff}, nil }
func (garbage) Unmarshal([]byte, any) error { return nil }
func (garbage) Name() string                { return "proto" }

const undecodableLine = "message cannot be decoded"

// waitUndecodable waits until so many undecodable messages were logged: grpc-go
// answers the client before it tells the server.
func (f *fixture) waitUndecodable(t *testing.T, count int) {
	t.Helper()
	eventually(t, func() bool { return len(f.log.lines(t, undecodableLine)) == count })
}

func TestUndecodable(t *testing.T) {
	f := start(t, setup{echo: echo{clientStream: func(s grpc.ClientStreamingServer[text, text]) error {
		_, err := s.Recv()
		return err
	}, bidiStream: func(s grpc.BidiStreamingServer[text, text]) error {
		_, err := s.Recv()
		return err
	}}})
	for i, kind := range kinds {
		stream, err := f.conn.NewStream(within(t), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, kind.name, grpc.ForceCodec(garbage{}))
		if err != nil {
			t.Fatal(err)
		}
		_ = stream.SendMsg(new(text))
		_ = stream.CloseSend()
		if err := stream.RecvMsg(new(text)); status.Code(err) != codes.Internal {
			t.Errorf("%s: got %v", kind.name, err)
		}
		f.waitUndecodable(t, i+1)
		if got := f.value(t, "grpc_server_undecodable_total", kind.name, ""); got != 1 {
			t.Errorf("%s: got %v undecodable messages, want 1", kind.name, got)
		}
		if got := f.value(t, "grpc_server_msg_received_total", kind.name, ""); got != 0 {
			t.Errorf("%s: got %v received messages, want 0", kind.name, got)
		}
	}
	for i, line := range f.log.lines(t, undecodableLine) {
		if line["rpc"] != kinds[i].name || !strings.Contains(line["error"].(string), "unmarshal") {
			t.Errorf("got %v", line)
		}
	}
}

func TestTooLarge(t *testing.T) {
	f := start(t, setup{})
	for i, name := range []string{unaryName, serverName} {
		_, err := call(within(t), f.conn, name, strings.Repeat("x", 2<<10))
		if status.Code(err) != codes.ResourceExhausted {
			t.Errorf("%s: got %v", name, err)
		}
		f.waitUndecodable(t, i+1)
		if got := f.value(t, "grpc_server_undecodable_total", name, ""); got != 1 {
			t.Errorf("%s: got %v undecodable messages, want 1", name, got)
		}
	}
}

func TestUnknownMethod(t *testing.T) {
	f := start(t, setup{})
	for _, name := range []string{"/test.v1.EchoService/Missing", "/test.v1.NoService/Unary"} {
		_, err := call(within(t), f.conn, name, "hello")
		if got := status.Convert(err); got.Code() != codes.Unimplemented || !strings.Contains(got.Message(), name[1:]) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if got := f.value(t, "grpc_server_unknown_method_total", "//", ""); got != 2 {
		t.Errorf("got %v unknown methods, want 2", got)
	}
	if lines := f.log.lines(t, "unknown method called"); len(lines) != 2 || lines[0]["rpc"] != "/test.v1.EchoService/Missing" {
		t.Errorf("got %v", lines)
	}
}

func TestRegisterKeepsTheDescriptor(t *testing.T) {
	handler := echoDesc.Methods[0].Handler
	f := start(t, setup{})
	if _, err := call(within(t), f.conn, unaryName, ""); err != nil {
		t.Fatal(err)
	}
	if got, err := handler(echo{}, t.Context(), func(any) error { return nil }, nil); err != nil || got == nil {
		t.Errorf("the original handler returns %v, %v", got, err)
	}
}
