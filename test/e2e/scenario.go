package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/protosvc/protosvc/internal/machine"
)

// scenario is something that happens to the flagship under load.
type scenario struct {
	number int // of the list in docs/e2e.md
	name   string
	run    func(ctx context.Context, f *flagship) error
	judge  func(t *trial) error // beside the books, which have to agree
}

// trial is what came of a scenario.
type trial struct {
	*scenario
	began, ended time.Time // what happened
	calls        []call
	err          error
	wrong        bool // the books do not agree
	machine      machine.Record
}

// unknown reports whether the trial says nothing: it is not as it should be, and the
// machine stood still. Wrong books are wrong at any speed.
func (t *trial) unknown() bool { return t.err != nil && !t.wrong && t.machine.Unfit() }

// late are the calls that ran out of time while, for half of it at least, no processor of
// this machine was free, or the host took them: no cluster has this little room when pods
// start. A call that waits for a pod which is gone waits longer than that.
func (t *trial) late() []call {
	return slices.DeleteFunc(failed(t.calls), func(c call) bool { return !t.isLate(c) })
}

func (t *trial) isLate(c call) bool {
	return slices.Contains(timedOut, c.outcome) && 2*t.machine.Short(c.start, c.start.Add(c.took)) >= c.took
}

// timedOut are the outcomes of calls that ran out of time.
var timedOut = []string{"DeadlineExceeded", "504", timeout}

// failed are the calls that did not succeed, but for those that were late.
func (t *trial) failed() []call {
	return slices.DeleteFunc(failed(t.calls), t.isLate)
}

// mostLate is the share of calls that may be late.
const mostLate = 0.05

// fewLate wants to know enough of the calls.
func fewLate(t *trial) error {
	if n := len(t.late()); float64(n) > mostLate*float64(len(t.calls)) {
		return fmt.Errorf("%d of %d calls ran out of time while no processor was free", n, len(t.calls))
	}
	return nil
}

const (
	warmUp = 3 * time.Second // of load before something happens
	after  = 3 * time.Second // of load after it
)

// play tries a scenario until it is as it should be.
func (s *scenario) play(ctx context.Context, f *flagship) (t *trial) {
	for tries := (machine.Tries{}); ; {
		machine.Quiet(ctx, time.Minute)
		t = s.try(ctx, f)
		if !tries.Again(t.unknown()) || t.err == nil || t.wrong || ctx.Err() != nil {
			return t
		}
		fmt.Printf("%s is played again: %v (the host took up to %.0f %% of the processors)\n", s.name, t.err, 100*t.machine.Stolen())
	}
}

// try plays a scenario.
func (s *scenario) try(ctx context.Context, f *flagship) *trial {
	t := &trial{scenario: s}
	l, err := f.startLoad()
	if err != nil {
		t.err = err
		return t
	}
	f.load = l
	watch := machine.Begin(ctx)
	t.err = sleep(ctx, warmUp)
	t.began = time.Now()
	if t.err == nil {
		t.err = s.run(ctx, f)
	}
	t.ended = time.Now()
	t.err = errors.Join(t.err, sleep(ctx, after))
	t.calls = l.stop()
	t.machine = watch.End()
	books := f.books(ctx, t.calls)
	t.wrong = books != nil
	t.err = errors.Join(t.err, books, fewLate(t), s.judge(t))
	return t
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// noneFailed wants every call to succeed.
func noneFailed(t *trial) error {
	all := t.failed()
	if len(all) == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d calls failed (%s), the first %v after it began: %s %s", len(all), len(t.calls), outcomes(all),
		all[0].start.Sub(t.began).Round(time.Millisecond), all[0].outcome, all[0].detail)
}

// someUnreached is for a control: what counts failures has to see calls that reached
// nobody. Others may fail, too, since so many connections keep the machine busy.
func someUnreached(t *trial) error {
	if !slices.ContainsFunc(t.calls, call.unreached) {
		return fmt.Errorf("every call reached a pod (%s), so nothing is known of the others", outcomes(failed(t.calls)))
	}
	return nil
}

var scenarios = []*scenario{
	{1, "each service is rolled, one after the other", roll(services...), noneFailed},
	{1, "all services are rolled at once", rollAtOnce, noneFailed},
	{1, "order is rolled with a drain delay of 0 s, under further new connections (control)", underConnections(withoutDrain), someUnreached},
	{2, "user is scaled from 1 to 4, to 2, and rolled at once", scaleUser, noneFailed},
	{3, "the process of a pod of user is killed", killProcess("user"), brief},
	{3, "the process of a pod of payment is killed", killProcess("payment"), brief},
	{3, "the process of a pod of order is killed", killProcess("order"), brief},
	{3, "a pod of user is deleted with no grace", deleteAtOnce("user"), brief},
	{3, "a pod of payment is deleted with no grace", deleteAtOnce("payment"), brief},
	{3, "a pod of order is deleted with no grace", deleteAtOnce("order"), brief},
	{4, "a pod of order is evicted, and another one", evictTwo("order"), noneFailed},
	{4, "a node is drained", drain, noneFailed},
	{5, "PostgreSQL is gone for 30 s", loseDatabase, afterDatabase},
	{6, "the ConfigMap of order is edited, and reloaded pod by pod", editConfig, noneFailed},
	{skewNumber, "user has a new field and a new error, order does not know them", skew("user"), noneFailed},
	{skewNumber, "order knows them, user does not have them", skew("order"), noneFailed},
	{operatorNumber, "the ConfigMap of order is edited, and carried to its pods by the operator", operated, noneFailed},
	{policyNumber, "NetworkPolicies are enforced, and not any more", enforcePolicies, noneFailed},
}

// underConnections has something happen while further callers come, each with a connection
// of its own: what an endpoint that is gone and still listed costs shows in them.
func underConnections(run func(context.Context, *flagship) error) func(context.Context, *flagship) error {
	return func(ctx context.Context, f *flagship) error {
		ctx, leave := context.WithCancel(ctx)
		defer leave()
		for range connections {
			go f.load.connect(ctx)
		}
		return run(ctx, f)
	}
}

// roll restarts services, each when the one before it has settled.
func roll(services ...string) func(context.Context, *flagship) error {
	return func(ctx context.Context, f *flagship) error {
		for _, service := range services {
			if err := f.restart(ctx, service); err != nil {
				return err
			}
			if err := f.settled(ctx, service); err != nil {
				return err
			}
		}
		return nil
	}
}

func rollAtOnce(ctx context.Context, f *flagship) error {
	for _, service := range services {
		if err := f.restart(ctx, service); err != nil {
			return err
		}
	}
	return f.allSettled(ctx)
}

func (f *flagship) allSettled(ctx context.Context) error {
	for _, service := range services {
		if err := f.settled(ctx, service); err != nil {
			return err
		}
	}
	return nil
}

// controlRolls is how often order is rolled at most for the control to see what it looks for.
const controlRolls = 5

// withoutDrain rolls pods of order that end as soon as they are told to, until a call has
// reached nobody: how long an endpoint that is gone stays listed depends on what else is
// going on in the cluster.
func withoutDrain(ctx context.Context, f *flagship) error {
	if err := f.setEnv(ctx, "order", "ORDER_STOP_DRAIN_DELAY", "0s"); err != nil {
		return err
	}
	for i := 0; i < controlRolls && !slices.ContainsFunc(f.load.soFar(), call.unreached); i++ {
		if err := roll("order")(ctx, f); err != nil {
			return err
		}
	}
	return f.setEnv(ctx, "order", "ORDER_STOP_DRAIN_DELAY", nil)
}

// What a new pod has of the calls, of its share, and since when.
const (
	shareDeviation = 0.3
	shareWithin    = 15 * time.Second
	shareMeasured  = 5 * time.Second
)

// scaleUser scales up under a caller that knows one pod, and looks at the shares of the
// new ones; then down, and rolls what is left before anything has come to rest.
func scaleUser(ctx context.Context, f *flagship) error {
	if err := f.scale(ctx, "user", 1); err != nil {
		return err
	}
	scaled := make(chan error, 1)
	go func() { scaled <- f.scale(ctx, "user", 4) }()
	shares, err := f.shares(ctx, "user", "GetUser", 4)
	if err := errors.Join(err, <-scaled); err != nil {
		return err
	}
	for pod, share := range shares {
		if share < 1-shareDeviation || share > 1+shareDeviation {
			err = errors.Join(err, fmt.Errorf("%v after all were ready, pod %s has %.2f of its share", shareWithin, pod, share))
		}
	}
	if err != nil {
		return err
	}
	if err := f.scale(ctx, "user", 2); err != nil {
		return err
	}
	return roll("user")(ctx, f)
}

// shares waits until so many pods of a service are ready, and returns what each has of
// the calls of a method in the last seconds of the time that it has, 1 being its share.
func (f *flagship) shares(ctx context.Context, service, method string, want int) (map[string]float64, error) {
	addresses := map[string]string{}
	if err := f.server.apiserver.within(ctx, time.Minute, func(ctx context.Context) error {
		pods, err := f.pods(ctx, service)
		if err != nil {
			return err
		}
		clear(addresses)
		for _, p := range pods {
			if ready(p) {
				addresses[p.Name] = p.Status.PodIP
			}
		}
		if len(addresses) != want {
			return fmt.Errorf("%d pods of %s are ready, want %d", len(addresses), service, want)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	if err := sleep(ctx, shareWithin-shareMeasured); err != nil {
		return nil, err
	}
	first, err := f.started(ctx, addresses, method)
	if err != nil {
		return nil, err
	}
	if err := sleep(ctx, shareMeasured); err != nil {
		return nil, err
	}
	last, err := f.started(ctx, addresses, method)
	if err != nil {
		return nil, err
	}
	total := 0.0
	for pod := range last {
		last[pod] -= first[pod]
		total += last[pod]
	}
	if total == 0 {
		return nil, fmt.Errorf("no pod of %s gets calls of %s", service, method)
	}
	for pod := range last {
		last[pod] *= float64(len(last)) / total
	}
	return last, nil
}

// started reads how many calls of a method each pod has seen.
func (f *flagship) started(ctx context.Context, addresses map[string]string, method string) (map[string]float64, error) {
	var mu sync.Mutex
	var all sync.WaitGroup
	counts, errs := map[string]float64{}, []error{}
	for pod, address := range addresses {
		all.Go(func() {
			n, err := startedCalls(ctx, address, method)
			mu.Lock()
			defer mu.Unlock()
			counts[pod], errs = n, append(errs, err)
		})
	}
	all.Wait()
	return counts, errors.Join(errs...)
}

func startedCalls(ctx context.Context, address, method string) (n float64, err error) {
	status, text, err := admin(ctx, http.MethodGet, address, "/metrics")
	if err != nil {
		return 0, err
	}
	if status != http.StatusOK {
		return 0, fmt.Errorf("metrics of %s: %d %s", address, status, text)
	}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "grpc_server_started_total{") || !strings.Contains(line, fmt.Sprintf("grpc_method=%q", method)) {
			continue
		}
		fields := strings.Fields(line)
		value, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil {
			return 0, err
		}
		n += value
	}
	return n, nil
}

// What a database may cost that is gone and comes back.
const (
	outage   = 30 * time.Second
	recovery = 3 * time.Second
)

// loseDatabase ends when the database is back: the calls after that are the ones that
// have to succeed.
func loseDatabase(ctx context.Context, f *flagship) error {
	before, err := f.restarts(ctx)
	if err != nil {
		return err
	}
	if err := f.postgres.tell(ctx, "stop"); err != nil {
		return err
	}
	back := time.Now().Add(outage)
	unready := f.server.apiserver.within(ctx, outage-time.Second, func(ctx context.Context) error {
		for _, service := range services {
			pods, err := f.pods(ctx, service)
			if err != nil {
				return err
			}
			for _, p := range pods {
				if ready(p) {
					return fmt.Errorf("pod %s is ready without its database", p.Name)
				}
			}
		}
		return nil
	})
	if err := sleep(ctx, time.Until(back)); err != nil {
		return err
	}
	if err := f.postgres.tell(ctx, "start"); err != nil {
		return err
	}
	if err := errors.Join(unready, sleep(ctx, 2*recovery)); err != nil {
		return err
	}
	after, err := f.restarts(ctx)
	if err != nil {
		return err
	}
	return after.since(before, true)
}

// withoutDatabase are the outcomes of calls that nobody can answer. Those that were waiting
// for something when the database went may wait until their deadline.
var withoutDatabase = []string{"Unavailable", "DeadlineExceeded", "503", "504", refused}

// afterDatabase wants calls to fail as they should, and no longer than they may.
func afterDatabase(t *trial) error {
	back := t.ended.Add(-2 * recovery)
	var errs []error
	for _, c := range failed(t.calls) {
		if !slices.Contains(withoutDatabase, c.outcome) {
			errs = append(errs, fmt.Errorf("a call failed otherwise than it should: %s %s: %s", c.protocol, c.outcome, c.detail))
		}
		if c.start.After(back.Add(recovery)) {
			errs = append(errs, fmt.Errorf("%v after the database was back a call failed: %s %s: %s",
				c.start.Sub(back).Round(time.Millisecond), c.protocol, c.outcome, c.detail))
		}
	}
	if len(failed(t.calls)) == 0 {
		errs = append(errs, errors.New("no call failed without a database"))
	}
	return errors.Join(errs[:min(len(errs), 5)]...)
}
