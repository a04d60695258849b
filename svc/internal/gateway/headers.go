package gateway

import (
	"encoding/base64"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/svc/internal/cut"
	"github.com/protosvc/protosvc/svc/internal/propagation"
)

// Metadata stand in headers with a prefix, in both directions.
const (
	metadataPrefix = "Grpc-Metadata-"
	trailerPrefix  = "Grpc-Trailer-"
	binarySuffix   = "-bin"
)

const (
	forwardedFor  = "X-Forwarded-For"
	forwardedHost = "X-Forwarded-Host"
)

// passed are the request headers that handlers get as metadata.
var passed = []string{"authorization", "traceparent", "tracestate", "baggage", "x-request-id", "accept-language"}

// headers are the metadata that request headers become, by the names of the headers.
type headers map[string]string

func newHeaders(declared []string) headers {
	out := headers{}
	for _, names := range [][]string{passed, declared} {
		for _, name := range names {
			out[http.CanonicalHeaderKey(name)] = strings.ToLower(name)
		}
	}
	return out
}

// key returns the metadata that a header becomes: those above, the declared ones, and
// what a client prefixes with Grpc-Metadata-. The prefix does not reach the names that
// mean something to gRPC or to the gateway, nor a header that passes by itself.
func (h headers) key(header string) (key string, ok bool) {
	if key, ok := h[header]; ok {
		return key, true
	}
	name, ok := strings.CutPrefix(header, metadataPrefix)
	if !ok || h[name] != "" || name == forwardedFor || name == forwardedHost {
		return "", false
	}
	key = strings.ToLower(name)
	return key, !strings.HasPrefix(key, "grpc-") && !strings.HasPrefix(key, "grpcgateway-") && isKey(key)
}

// isKey reports whether gRPC has such a name of metadata.
func isKey(key string) bool {
	return strings.Trim(key, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == "" && key != ""
}

// metadata are what a handler gets of the headers, and of where the request came from.
func (h headers) metadata(r *http.Request) (metadata.MD, error) {
	md := metadata.MD{}
	room := make([]string, 0, len(r.Header)+2) // nearly always each header has one value
	for header, values := range r.Header {
		key, ok := h.key(header)
		if !ok {
			continue
		}
		for _, value := range values {
			if strings.HasSuffix(key, binarySuffix) {
				data, err := decodeBinary(value)
				if err != nil {
					return nil, status.Errorf(codes.InvalidArgument, "header %s is not in base64", header)
				}
				value = string(data)
			} else if !propagation.Printable(value) {
				continue
			}
			if md[key] != nil {
				md[key] = append(md[key], value)
				continue
			}
			room, md[key] = one(room, value)
		}
	}
	for _, host := range []string{r.Header.Get(forwardedHost), r.Host} {
		if host != "" && propagation.Printable(host) {
			room, md["x-forwarded-host"] = one(room, host)
			break
		}
	}
	if clients := clientsOf(r); clients != "" {
		_, md["x-forwarded-for"] = one(room, clients)
	}
	return md, nil
}

// one returns a value as a slice, which has its place in the room and does not grow there.
func one(room []string, value string) (rest, values []string) {
	room = append(room, value)
	return room, room[len(room)-1 : len(room) : len(room)]
}

// clientsOf are the addresses that the request came by, the nearest one last.
func clientsOf(r *http.Request) string {
	var out []string
	for _, value := range r.Header.Values(forwardedFor) {
		if propagation.Printable(value) {
			out = append(out, value)
		}
	}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil && propagation.Printable(host) {
		out = append(out, host)
	}
	return strings.Join(out, ", ")
}

func decodeBinary(value string) ([]byte, error) {
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(value, "="))
}

// units are those of the header Grpc-Timeout.
var units = map[byte]time.Duration{
	'H': time.Hour, 'M': time.Minute, 'S': time.Second, 'm': time.Millisecond, 'u': time.Microsecond, 'n': time.Nanosecond,
}

// maxTimeout is how many bytes of a Grpc-Timeout that is none an answer shows.
const maxTimeout = 32

// timeoutOf returns how long a call may take; zero: its client does not say.
func timeoutOf(header http.Header) (time.Duration, error) {
	text := header.Get("Grpc-Timeout")
	if text == "" {
		return 0, nil
	}
	last := len(text) - 1
	n, err := strconv.ParseUint(text[:last], 10, 64)
	unit := units[text[last]]
	if err != nil || unit == 0 {
		return 0, status.Errorf(codes.InvalidArgument, "invalid grpc-timeout: %s", cut.Text(text, maxTimeout))
	}
	if n > uint64(math.MaxInt64/unit) {
		return math.MaxInt64, nil
	}
	return time.Duration(n) * unit, nil
}

// addMetadata adds what a handler sent beside its messages to the headers of an answer.
func addMetadata(header http.Header, prefix string, md metadata.MD) {
	for key, values := range md {
		for _, value := range values {
			if strings.HasSuffix(key, binarySuffix) {
				value = base64.StdEncoding.EncodeToString([]byte(value))
			}
			header.Add(prefix+key, value)
		}
	}
}

// acceptsTrailers reports whether a client wants to see trailers.
func acceptsTrailers(header http.Header) bool {
	return strings.Contains(strings.ToLower(header.Get("Te")), "trailers")
}
