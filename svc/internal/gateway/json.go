package gateway

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/api/httpbody"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// jsonMarshaler is grpc-gateway's own, except that it refuses unknown fields and
// anything after the message, writes lines, and has a content type for streams.
type jsonMarshaler struct {
	*runtime.HTTPBodyMarshaler
	strict protojson.UnmarshalOptions
}

var (
	_ runtime.Delimited         = jsonMarshaler{}
	_ runtime.StreamContentType = jsonMarshaler{}
)

func newJSON() jsonMarshaler {
	return jsonMarshaler{HTTPBodyMarshaler: &runtime.HTTPBodyMarshaler{
		Marshaler: &runtime.JSONPb{MarshalOptions: protojson.MarshalOptions{EmitUnpopulated: true}},
	}}
}

// Marshal ends what it writes with a newline, which a terminal likes and which
// makes a stream lines. Errors are without the fields that they do not use.
func (j jsonMarshaler) Marshal(v any) ([]byte, error) {
	var data []byte
	var err error
	switch v := v.(type) {
	case *httpbody.HttpBody:
		return v.GetData(), nil
	case *spb.Status:
		data, err = protojson.Marshal(v)
	default:
		data, err = j.HTTPBodyMarshaler.Marshal(v)
	}
	if err != nil {
		return nil, err
	}
	return append(data, '\n'), nil
}

// Delimiter is what follows a message of a stream, besides its own newline.
func (j jsonMarshaler) Delimiter() []byte { return nil }

// StreamContentType returns the content type of a server stream.
func (j jsonMarshaler) StreamContentType(v any) string {
	if raw, ok := v.(*httpbody.HttpBody); ok {
		return raw.GetContentType()
	}
	return "application/x-ndjson"
}

// NewDecoder returns a decoder that takes the whole body for one message. No
// route needs more: streams of requests cannot be declared for HTTP.
func (j jsonMarshaler) NewDecoder(r io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(v any) error {
		data, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if len(bytes.TrimSpace(data)) == 0 {
			return io.EOF // which generated code takes for the empty message
		}
		return readable(j.decode(data, v))
	})
}

func (j jsonMarshaler) decode(data []byte, v any) error {
	if m, ok := v.(proto.Message); ok {
		return j.strict.Unmarshal(data, m)
	}
	return j.Unmarshal(data, v) // a field of the request, where the route names one as its body
}

// readable drops protojson's prefix, which has a random kind of space, and says
// what could not be read.
func readable(err error) error {
	if err == nil {
		return nil
	}
	text := strings.TrimLeft(strings.TrimPrefix(err.Error(), "proto:"), " \u00a0")
	return fmt.Errorf("invalid JSON body: %s", text)
}
