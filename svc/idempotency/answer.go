package idempotency

import (
	stderrors "errors"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/protosvc/protosvc/svc/errors"
)

var errTaken = stderrors.New("the lease of the idempotency key was lost to another run")

// answer is what a handler returned, as stored.
type answer struct {
	code  int64 // of gRPC
	bytes []byte
}

// encode returns the answer that a handler's results are, if they are one.
func encode[Resp any](resp *Resp, err error) (answer, bool) {
	var m proto.Message = errors.ToStatus(err).Proto()
	switch {
	case err != nil && !errors.Final(err):
		return answer{}, false
	case err == nil:
		m, _ = any(resp).(proto.Message)
	}
	bytes, fault := proto.Marshal(m)
	if bytes == nil {
		bytes = []byte{} // an empty message is not NULL
	}
	return answer{int64(errors.ToStatus(err).Code()), bytes}, fault == nil
}

// replay is the way back.
func replay[Resp any](a answer) (*Resp, error) {
	if a.code == 0 {
		resp := new(Resp)
		return resp, proto.Unmarshal(a.bytes, any(resp).(proto.Message))
	}
	p := new(spb.Status)
	if err := proto.Unmarshal(a.bytes, p); err != nil {
		return nil, err
	}
	return nil, errors.FromStatus(status.FromProto(p).Err(), nil)
}
