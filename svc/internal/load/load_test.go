package load

import (
	"context"
	"math"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/protosvc/protosvc/svc/internal/bubble"
	"github.com/protosvc/protosvc/svc/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSince(t *testing.T) {
	start := Sample{At: time.Now(), CPU: time.Second, Calls: 10, Failures: 1}
	end := Sample{At: start.At.Add(2 * time.Second), CPU: 2 * time.Second, Calls: 110, Failures: 5}
	want := Report{Utilization: 0.5 / float64(runtime.GOMAXPROCS(0)), Calls: 50, Failures: 2}
	if got := end.Since(start); got != want {
		t.Errorf("report = %+v, want %+v", got, want)
	}
	if got := start.Since(start); got != (Report{}) {
		t.Errorf("report on no time = %+v", got)
	}
}

func TestWeights(t *testing.T) {
	tests := map[string]struct {
		reports []Report
		want    []float64
	}{
		"half busy":                 {[]Report{{0.5, 100, 0}}, []float64{200}},
		"a tenth fails":             {[]Report{{0.4, 100, 10}}, []float64{200}},
		"no calls":                  {[]Report{{0.5, 0, 0}}, []float64{0}},
		"busy ones differ":          {[]Report{{0.5, 100, 0}, {0.5, 50, 0}}, []float64{200, 100}},
		"idle ones do not":          {[]Report{{0.001, 30, 0}, {0.04, 10, 0}, {0, 20, 0}}, []float64{400, 400, 400}},
		"an idle one that fails":    {[]Report{{0.001, 20, 0}, {0.001, 20, 3}}, []float64{400, 100}},
		"an idle one beside a busy": {[]Report{{0.5, 100, 0}, {0.01, 50, 0}}, []float64{200, 1500}},
		"no calls are not a mean":   {[]Report{{0.01, 20, 0}, {0.01, 0, 0}}, []float64{400, 0}},
		"the threshold is not idle": {[]Report{{idle, 20, 0}, {idle, 10, 0}}, []float64{400, 200}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := Weights(test.reports)
			if diff := cmp.Diff(test.want, got, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
				t.Errorf("weights (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCPU(t *testing.T) {
	// On a busy machine work takes its time.
	for before, deadline := CPU(), time.Now().Add(10*time.Second); CPU()-before < 20*time.Millisecond; {
		if time.Now().After(deadline) {
			t.Fatalf("10 s of work used %v of CPU", CPU()-before)
		}
	}
}

func TestMalformed(t *testing.T) {
	for _, text := range []string{"\xff", "\x09", "\x09\x00\x00\x00\x00\x00\x00\xf8\x7f", "\x08\x01", "\x0a\xff"} {
		m := wire.Carry([]byte(text))
		if got := reportOf(m); got != (Report{}) {
			t.Errorf("report of %q = %+v", text, got)
		}
		if got := intervalOf(m); got != 0 {
			t.Errorf("interval of %q = %v", text, got)
		}
	}
	if got := intervalOf(request(1500 * time.Millisecond)); got != 1500*time.Millisecond {
		t.Errorf("interval = %v", got)
	}
	if got := intervalOf(new(emptypb.Empty)); got != 0 {
		t.Errorf("interval of nothing = %v", got)
	}
}

// Servers that are not ours may say how busy the application is, which knows it
// better than the CPU does.
func TestApplicationUtilization(t *testing.T) {
	for name, c := range map[string]struct {
		fields map[protowire.Number]float64
		want   float64
	}{
		"both":           {map[protowire.Number]float64{1: .2, 9: .7}, .7},
		"CPU alone":      {map[protowire.Number]float64{1: .2}, .2},
		"senseless":      {map[protowire.Number]float64{1: .2, 9: math.Inf(1)}, .2},
		"less than none": {map[protowire.Number]float64{1: .2, 9: -1}, .2},
	} {
		var fields []byte
		for number, value := range c.fields {
			fields = protowire.AppendTag(fields, number, protowire.Fixed64Type)
			fields = protowire.AppendFixed64(fields, math.Float64bits(value))
		}
		if got := reportOf(wire.Carry(fields)).Utilization; got != c.want {
			t.Errorf("%s: utilization %v, want %v", name, got, c.want)
		}
	}
}

// clocked is a stream that notes when reports are sent, and ends after two.
type clocked struct {
	grpc.ServerStream
	ctx  context.Context
	end  context.CancelFunc
	sent []time.Time
	last Report
}

func (c *clocked) Context() context.Context { return c.ctx }

func (c *clocked) SendMsg(m any) error {
	c.last = reportOf(m.(*emptypb.Empty))
	if c.sent = append(c.sent, time.Now()); len(c.sent) == 2 {
		c.end()
	}
	return nil
}

// A client cannot make the server busy by asking how busy it is, and one that
// asks for no interval gets a quiet one.
func TestIntervals(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{
		-time.Second:          10 * time.Second,
		0:                     10 * time.Second,
		time.Nanosecond:       100 * time.Millisecond,
		99 * time.Millisecond: 100 * time.Millisecond,
		5 * time.Second:       5 * time.Second,
	} {
		bubble.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			stream, begun := &clocked{ctx: ctx, end: cancel}, time.Now()
			r := &reporter{sample: every(), stopping: make(chan struct{})}
			if err := r.report(stream, asked); status.Code(err) != codes.Canceled {
				t.Errorf("err = %v, want that of the stream", err)
			}
			for n, at := range stream.sent {
				if got := at.Sub(begun); got != time.Duration(n+1)*want {
					t.Errorf("asked for one every %v: report %d came after %v, want %v", asked, n+1, got, time.Duration(n+1)*want)
				}
			}
		})
	}
}

// A report is about the time since the one before it, not since the first.
func TestReportForgets(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stream, calls := &clocked{ctx: ctx, end: cancel}, []float64{0, 100, 107}
		r := &reporter{stopping: make(chan struct{}), sample: func() Sample {
			s := Sample{At: time.Now(), Calls: calls[0]}
			calls = calls[1:]
			return s
		}}
		_ = r.report(stream, time.Second)
		if stream.last.Calls != 7 {
			t.Errorf("%v calls per second in the second report, want 7", stream.last.Calls)
		}
	})
}

// serveOn starts a server and returns a connection to it.
func serveOn(t *testing.T, server *grpc.Server) *grpc.ClientConn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	cc, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cc.Close()
		server.Stop()
		<-served
	})
	return cc
}

// every makes samples of a server that is half busy and answers 100 calls a
// second, each sample a second after the one before.
func every() func() Sample {
	var s Sample
	return func() Sample {
		s.At = s.At.Add(time.Second)
		s.CPU += time.Second * time.Duration(runtime.GOMAXPROCS(0)) / 2
		s.Calls += 100
		s.Failures += 3
		return s
	}
}

func TestReportsArrive(t *testing.T) {
	server := grpc.NewServer()
	defer Register(server, every())()
	cc := serveOn(t, server)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []Report
	err := Watch(ctx, cc, time.Millisecond, func(r Report) { // answered at the least interval
		if got = append(got, r); len(got) == 3 {
			cancel()
		}
	})
	if status.Code(err) != codes.Canceled || len(got) < 3 {
		t.Fatalf("Watch = %v after %d reports", err, len(got))
	}
	for _, r := range got {
		if r != (Report{0.5, 100, 3}) {
			t.Errorf("report = %+v", r)
		}
	}
}

func TestStopEndsReports(t *testing.T) {
	server := grpc.NewServer()
	stop := Register(server, every())
	cc := serveOn(t, server)
	reports, ended := make(chan Report, 100), make(chan error, 1)
	go func() { ended <- Watch(t.Context(), cc, time.Millisecond, func(r Report) { reports <- r }) }()
	<-reports
	stop()
	if err := <-ended; status.Code(err) != codes.Unavailable {
		t.Errorf("Watch = %v, want Unavailable", err)
	}
	graceful := make(chan struct{})
	go func() { server.GracefulStop(); close(graceful) }()
	select {
	case <-graceful:
	case <-time.After(5 * time.Second):
		t.Error("a stream of reports holds up the stop")
	}
}

func TestServerWithoutReports(t *testing.T) {
	err := Watch(t.Context(), serveOn(t, grpc.NewServer()), time.Second, func(Report) {})
	if status.Code(err) != codes.Unimplemented {
		t.Errorf("Watch = %v, want Unimplemented", err)
	}
}

func TestWatchOverAClosedConnection(t *testing.T) {
	cc := serveOn(t, grpc.NewServer())
	if err := cc.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Watch(t.Context(), cc, time.Second, func(Report) {}); status.Code(err) != codes.Canceled {
		t.Errorf("Watch = %v, want Canceled", err)
	}
}
