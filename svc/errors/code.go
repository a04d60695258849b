package errors

import (
	"maps"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/svc/internal/cut"
)

// Code is one error of a contract. Codes are generated as package variables and
// are never changed. A Code is an error itself: it is a target for errors.Is,
// and a handler may return it where there is no metadata to tell.
type Code struct {
	// Domain and Reason identify the error, as in google.rpc.ErrorInfo: the
	// domain of the enum, "order.shop", and the name of its value,
	// "ORDER_ERROR_USER_NOT_FOUND".
	Domain, Reason string

	// GRPC is the code of the status that carries the error.
	GRPC codes.Code

	// HTTP is the status of a JSON response. Zero: it follows from GRPC.
	HTTP int

	// Retryable says that the same request may succeed later. The status then
	// carries google.rpc.RetryInfo.
	Retryable bool

	// RetryDelay is how long a caller should wait before it tries again, the
	// delay in google.rpc.RetryInfo. Zero: the caller decides.
	RetryDelay time.Duration

	// TripsBreaker says whether circuit breakers of callers count the error as a
	// fault of the server. Nil: it follows from GRPC.
	TripsBreaker *bool

	// Message is what a person reads. A name in braces is replaced by the
	// metadata of that key: "user {user_id} does not exist".
	Message string

	// Translations are the message in other languages; see [Answer].
	Translations []Translation
}

// Translation is the message of a [Code] in another language.
type Translation struct {
	// Locale is the language, BCP 47: "de", "pt-BR".
	Locale string
	// Message has the same names in braces as that of the Code.
	Message string
}

// Error returns the reason and the message template.
func (c *Code) Error() string {
	if c.Message == "" {
		return c.Reason
	}
	return c.Reason + ": " + c.Message
}

// New returns an occurrence of the error. The metadata alternates keys and
// values; it fills the message and travels with the error. A last key without a
// value gets the empty one.
//
// All of it is text. A value of another type that placeholders have is written as
// in the JSON of protobuf, a time.Time as "2006-01-02T15:04:05Z" and a
// time.Duration as "1.5s", and any other one as fmt.Sprint does. See [Value].
func (c *Code) New(metadata ...any) *Error {
	if len(metadata) == 0 {
		return &Error{Code: c}
	}
	pairs := make([]string, len(metadata))
	for i, part := range metadata {
		pairs[i] = textOf(part)
	}
	return &Error{Code: c, Metadata: withPairs(nil, pairs)}
}

// Is reports whether the target is the same error of the contract: a Code or an
// [Error] with equal domain and reason.
func (c *Code) Is(target error) bool {
	switch t := target.(type) {
	case *Code:
		return c.same(t)
	case *Error:
		return c.same(t.code())
	}
	return false
}

// GRPCStatus returns the status of an occurrence without metadata.
func (c *Code) GRPCStatus() *status.Status { return c.New().GRPCStatus() }

func (c *Code) same(other *Code) bool {
	return c == other || other != nil && c.Domain == other.Domain && c.Reason == other.Reason
}

// Table is a list of codes, generated for each enum. Tables of several enums
// are joined with slices.Concat.
type Table []*Code

// Find returns the code with this domain and reason, or nil.
func (t Table) Find(domain, reason string) *Code {
	for _, c := range t {
		if c.Reason == reason && c.Domain == domain {
			return c
		}
	}
	return nil
}

// withPairs returns a copy of the metadata with alternating keys and values
// added.
func withPairs(metadata map[string]string, pairs []string) map[string]string {
	if len(pairs) == 0 {
		return metadata
	}
	out := maps.Clone(metadata)
	if out == nil {
		out = make(map[string]string, (len(pairs)+1)/2)
	}
	for len(pairs) > 1 {
		out[pairs[0]] = pairs[1]
		pairs = pairs[2:]
	}
	if len(pairs) == 1 {
		out[pairs[0]] = ""
	}
	return out
}

// fill replaces each {key} of the template by its metadata, in one pass, so
// that braces inside a value stay as they are. An unknown key stays too. Long
// values are cut.
func fill(template string, metadata map[string]string) string {
	if len(metadata) == 0 || !strings.Contains(template, "{") {
		return template
	}
	var out strings.Builder
	for {
		before, rest, _ := strings.Cut(template, "{")
		out.WriteString(before)
		key, after, closed := strings.Cut(rest, "}")
		value, known := metadata[key]
		switch {
		case len(before) == len(template):
			return out.String()
		case closed && known:
			out.WriteString(cut.Text(value, maxFilled))
			template = after
		default:
			out.WriteByte('{')
			template = rest
		}
	}
}
