package outlier

import (
	"time"

	"google.golang.org/grpc/balancer"

	"github.com/protosvc/protosvc/svc/internal/breaker"
)

// tries is how often a pick that falls on a backend which should have no call is
// made again. It happens around an ejection only.
const tries = 4

// picker counts what becomes of the child's picks.
type picker struct {
	child  balancer.Picker
	policy *Policy
}

func (p *picker) Pick(info balancer.PickInfo) (balancer.PickResult, error) {
	for try := 1; ; try++ {
		result, err := p.child.Pick(info)
		if err != nil {
			return result, err
		}
		b, ok := result.SubConn.(*backend)
		if !ok {
			return result, nil
		}
		if b.breaker == nil {
			result.SubConn = b.SubConn
			return result, nil
		}
		call, err := b.breaker.Allow()
		switch {
		case err == nil:
			result.SubConn = b.SubConn
			result.Done = p.watch(b, call, info, result.Done)
			return result, nil
		case try == tries:
			// Nowhere else to go. Whether the callee as a whole is called is the
			// decision of its own breaker.
			result.SubConn = b.SubConn
			return result, nil
		case result.Done != nil:
			result.Done(balancer.DoneInfo{})
		}
	}
}

// watch returns what is called at the end of the attempt.
func (p *picker) watch(b *backend, call breaker.Call, info balancer.PickInfo, child func(balancer.DoneInfo)) func(balancer.DoneInfo) {
	start, attempt := time.Now(), attemptOf(info.Ctx)
	end := attempt.begin(call)
	return func(done balancer.DoneInfo) {
		outcome := p.outcome(info.FullMethodName, time.Since(start), done)
		end(outcome)
		if outcome == breaker.Fault {
			b.judge()
			attempt.end(b)
		}
		if child != nil {
			child(done)
		}
	}
}

// outcome says what the end of an attempt means. One that ended well without a
// byte was given up by gRPC before it began.
func (p *picker) outcome(method string, took time.Duration, done balancer.DoneInfo) breaker.Outcome {
	if done.Err == nil && !done.BytesReceived {
		return breaker.Neutral
	}
	return p.policy.Outcome(method, took, done.Err)
}
