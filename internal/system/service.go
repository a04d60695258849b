package system

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// startTimeout is how long a service may take until it is ready.
	startTimeout = 20 * time.Second
	// stopTimeout is how long it may take to stop: the drain delay, the budget
	// of the contract (20 s) and something for the rest.
	stopTimeout = 30 * time.Second
	// drainDelay is short because no load balancer has to be waited for.
	drainDelay = 100 * time.Millisecond
	// pollInterval is the wait between two looks at /readyz.
	pollInterval = 10 * time.Millisecond
)

var (
	errEnded      = errors.New("ended by itself")
	errNotReady   = errors.New("not ready in time")
	errNotStopped = errors.New("did not stop in time")
)

// Service is one service of the system. Its methods are not for concurrent use.
type Service struct {
	// Name is the name of the deployable, "order".
	Name string

	// GRPC, HTTP and Admin are where it listens, "127.0.0.1:9090". A restart
	// does not change them.
	GRPC, HTTP, Admin string

	// Log is the file with the output of all its processes, one JSON object per
	// line.
	Log string

	path, config string
	environ      []string
	reserved     []net.Listener // its ports, until the first start
	process      *process       // nil: stopped or killed
}

func newService(name string, o Options) *Service {
	return &Service{
		Name:   name,
		Log:    filepath.Join(o.Dir, name+".log"),
		path:   filepath.Join(o.Bin, name),
		config: filepath.Join(o.Configs, name, "config.yaml"),
	}
}

// Target is its gRPC port as clients want it.
func (s *Service) Target() string { return "passthrough:///" + s.GRPC }

// PID is the id of its process, 0 if it has none.
func (s *Service) PID() int {
	if s.process == nil {
		return 0
	}
	return s.process.pid()
}

// Signal sends a signal to its process.
func (s *Service) Signal(sig os.Signal) error {
	if s.process == nil {
		return s.fault(os.ErrProcessDone)
	}
	return s.process.signal(sig)
}

// Wait returns when its process has ended: nil for exit code 0. The context
// limits the wait, and when it ends the process is killed.
func (s *Service) Wait(ctx context.Context) error {
	if s.process == nil {
		return nil
	}
	defer func() { s.process = nil }()
	select {
	case <-s.process.done:
		return s.fault(s.process.err)
	case <-ctx.Done():
		return errors.Join(s.fault(errNotStopped), s.process.kill())
	}
}

// Stop stops it gracefully, if it runs, and waits for it.
func (s *Service) Stop() error {
	if s.process == nil {
		return nil
	}
	if err := s.Signal(syscall.SIGTERM); err != nil {
		<-s.process.done
		defer func() { s.process = nil }()
		return s.endedByItself()
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	return s.Wait(ctx)
}

// Kill ends it without any warning (SIGKILL), if it runs, and waits for it.
func (s *Service) Kill() error {
	if s.process == nil {
		return nil
	}
	defer func() { s.process = nil }()
	return s.process.kill()
}

// Restart starts it again with the configuration as it is now, at the same
// addresses, and returns when it is ready. A process that runs is stopped before.
func (s *Service) Restart(ctx context.Context) error {
	if err := s.Stop(); err != nil {
		return err
	}
	return s.start(ctx, os.O_APPEND)
}

// start starts its process with the log opened in the given mode and waits until
// it is ready. One that is not is killed.
func (s *Service) start(ctx context.Context, mode int) error {
	log, err := os.OpenFile(s.Log, os.O_WRONLY|os.O_CREATE|mode, 0o644)
	if err != nil {
		return err
	}
	defer log.Close() // the process has its own
	cmd := exec.Command(s.path, "--config="+s.config)
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = s.environ, log, log, attributes()
	s.release()
	if s.process, err = launch(cmd); err != nil {
		return fmt.Errorf("service %s: %w", s.Name, err)
	}
	if err := s.awaitReady(ctx); err != nil {
		return errors.Join(err, s.Kill())
	}
	return nil
}

func (s *Service) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, errNotReady)
	defer cancel()
	for !s.ready(ctx) {
		select {
		case <-s.process.done:
			return s.fault(s.process.err)
		case <-ctx.Done():
			return s.fault(context.Cause(ctx))
		case <-time.After(pollInterval):
		}
	}
	return nil
}

func (s *Service) ready(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Admin+"/readyz", nil)
	if err != nil {
		return false
	}
	req.Close = true // leave no connection behind
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// ended returns a channel that is closed when the process ends; nil without one.
func (s *Service) ended() <-chan struct{} {
	if s.process == nil {
		return nil
	}
	return s.process.done
}

// endedByItself says how. The process has ended.
func (s *Service) endedByItself() error {
	return s.fault(fmt.Errorf("%w (%v)", errEnded, s.process.cmd.ProcessState))
}

// prefix is what its environment variables begin with.
func (s *Service) prefix() string { return strings.ToUpper(s.Name) }

// tailSize is how much of a log an error shows, in bytes.
const tailSize = 2000

// fault names the service and adds the end of its log. No fault is nil.
func (s *Service) fault(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("service %s: %w; the end of %s:\n%s", s.Name, err, s.Log, tail(s.Log))
}

// tail returns the last lines of a file.
func tail(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > tailSize {
		_, _ = f.Seek(-tailSize, io.SeekEnd) // else all of it
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
