package server

import (
	"log/slog"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/protosvc/protosvc/svc/internal/logging"
)

// How many lines of one kind a second has at the most. Callers can cause them as
// often as they like, and an outage does: the log must not become a second one.
// The metrics count every call.
const (
	failuresLogged = 100 // failed calls of one method with one code
	mistakesLogged = 10  // messages that cannot be decoded, by method; unknown methods
)

// failures thins out the lines about failed calls of a method, each code by itself: a
// flood of invalid requests must not hide that the database is gone.
type failures struct {
	codes              [codes.Unauthenticated + 1]logging.Sampler
	panics, undeclared logging.Sampler
}

func (f *failures) init() {
	for i := range f.codes {
		f.codes[i].Burst, f.codes[i].Every = failuresLogged, time.Second
	}
	f.panics.Burst, f.panics.Every = failuresLogged, time.Second
	f.undeclared.Burst, f.undeclared.Every = failuresLogged, time.Second
}

// pass is [logging.Sampler.Pass] for a code. Handlers may make up codes.
func (f *failures) pass(code codes.Code) ([]slog.Attr, bool) {
	if int(code) >= len(f.codes) {
		code = codes.Unknown
	}
	return f.codes[code].Pass()
}
