package database

import (
	"database/sql/driver"
	"errors"
	"io"
	"net"

	"google.golang.org/genproto/googleapis/rpc/errdetails"

	svcerrors "github.com/protosvc/protosvc/svc/errors"
)

// meaning is what an error of an engine amounts to. The zero value is that of an
// error that is about the statement: a fault of the service, INTERNAL.
type meaning struct {
	// says is what the caller of the service is told.
	says *svcerrors.Error
	// again: the same transaction, begun anew, may succeed.
	again bool
	// lost: the connection is of no use any more and leaves the pool.
	lost bool
}

// The meanings that there are. Each engine has a table from its codes to these.
var (
	// gone: no work can be done over this connection, or none can be had.
	gone = meaning{says: svcerrors.Unavailable.New(), again: true, lost: true}
	// unusable: the file cannot be read or written, which another try does not mend
	// but a new connection to a file that is well again does.
	unusable = meaning{says: svcerrors.Unavailable.New(), lost: true}
	// busy: others have what the statement needs.
	busy = meaning{says: svcerrors.Unavailable.New(), again: true}
	// conflict: the engine chose the transaction as the victim.
	conflict = meaning{says: svcerrors.Aborted.New(), again: true}
	// full: there is no room, which another try does not make.
	full = meaning{says: svcerrors.ResourceExhausted.New()}
	// unstorable: a text of the request has characters that no column can hold.
	// The engine does not say which field it came from.
	unstorable = meaning{says: svcerrors.InvalidRequest.New().WithDetails(&errdetails.BadRequest{
		FieldViolations: []*errdetails.BadRequest_FieldViolation{{
			Description: "a text has a character that cannot be stored, such as U+0000",
			Reason:      "text.storable",
		}},
	})}
)

// meaningOf looks up an error, which may be wrapped.
func meaningOf(err error) meaning {
	for _, find := range []func(error) (meaning, bool){postgresMeaning, sqliteMeaning} {
		if m, found := find(err); found {
			return m
		}
	}
	if connectionBroken(err) {
		return gone
	}
	return meaning{}
}

// connectionBroken reports whether err is about the connection and not about the
// statement. lib/pq passes on network errors of reads as they are.
func connectionBroken(err error) bool {
	_, network := errors.AsType[*net.OpError](err)
	return network || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
