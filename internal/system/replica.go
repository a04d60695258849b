package system

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// StartReplica starts one process of a service that has several, and returns when
// it is ready. The id tells its log from those of the others. Of the options,
// those count that are about a single service; the environment must say where its
// callees and its database are.
func StartReplica(ctx context.Context, name, id string, o Options) (*Service, error) {
	o = o.withDefaults()
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, err
	}
	s := newService(name, o)
	s.Log = filepath.Join(o.Dir, name+"-"+id+".log")
	if err := s.reserve(false /* any free ports */); err != nil {
		s.release()
		return nil, err
	}
	s.environ = append(os.Environ(), s.own("LISTEN_GRPC", s.GRPC), s.own("LISTEN_HTTP", s.HTTP), s.own("LISTEN_ADMIN", s.Admin),
		s.own("STOP_DRAIN_DELAY", drainDelay.String()))
	s.environ = append(s.environ, o.Environ...)
	if err := s.start(ctx, os.O_TRUNC); err != nil {
		return nil, err
	}
	return s, nil
}

// own is an environment variable of the service.
func (s *Service) own(key, value string) string {
	return fmt.Sprintf("%s_%s=%s", s.prefix(), key, value)
}
