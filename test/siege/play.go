package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/protosvc/protosvc/internal/machine"
)

const (
	warm = 2 * time.Second // of honest calls, before anything is measured
	// aftermath is how long honest calls go on when the hostile client has gone: that many
	// streams end at once is part of what it did.
	aftermath = 2 * time.Second
	recovery  = 30 * time.Second // until the replica is at rest again
)

// What a replica may hold more at rest than before. The runtime and the pools breathe.
const (
	moreOpen   = 20
	moreGo     = 100
	moreMemory = 32 << 20
)

// result is what became of a row.
type result struct {
	row
	did         string // the hostile client
	first, last rest
	peak        usage
	alive       bool
	kills       int64
	rested      time.Duration // from the end of the hostile client on; more than recovery: never
	honest      *honest
	machine     machine.Record
	verdicts    []verdict
	bare        *result // of the server with bare defaults; nil: not asked for
}

// play runs a row on a replica of its own.
func (b *base) play(ctx context.Context, binary string, row row) (res *result, err error) {
	r, err := b.replica(ctx, binary, row.files)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.end()) }()
	res = &result{row: row}
	if res.honest, err = b.meet(ctx, r); err != nil {
		return nil, err
	}
	defer res.honest.close()
	warming := &honest{target: res.honest.target, conn: res.honest.conn, orders: res.honest.orders, http: res.honest.http, userID: res.honest.userID}
	short, enough := context.WithTimeout(ctx, warm)
	warming.call(short, b.patience)
	enough()
	res.first = r.rest(ctx)

	watch := machine.Begin(ctx)
	besieged, over := context.WithCancel(ctx)
	var others sync.WaitGroup
	others.Go(func() { res.honest.call(besieged, b.patience) })
	others.Go(func() { res.watch(besieged, r) })
	res.did, err = res.besiege(ctx)
	left := time.Now()
	_ = sleep(ctx, aftermath)
	res.alive = r.alive()
	over()
	others.Wait()
	res.machine = watch.End()
	if err != nil {
		return nil, err
	}
	if res.alive {
		res.recover(ctx, r, left)
	}
	res.alive, res.kills = r.alive(), r.kills()
	res.judge(b)
	return res, ctx.Err()
}

// watch keeps the most that the replica held.
func (res *result) watch(ctx context.Context, r *replica) {
	for sleep(ctx, 20*time.Millisecond) == nil {
		now := r.usage(r.PID())
		res.peak.memory = max(res.peak.memory, now.memory)
		res.peak.sockets = max(res.peak.sockets, now.sockets)
	}
}

// recover waits until the replica is at rest again. Nobody calls it then.
func (res *result) recover(ctx context.Context, r *replica, left time.Time) {
	for {
		res.last = r.rest(ctx)
		res.rested = time.Since(left)
		if res.restless() == nil || res.rested > recovery || !r.alive() || sleep(ctx, 500*time.Millisecond) != nil {
			return
		}
	}
}

// besiege runs the hostile client in a process of its own, as long as the row lasts, and
// returns what it says that it did.
func (res *result) besiege(ctx context.Context) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	aim, err := json.Marshal(map[string]string{"GRPC": res.honest.target.GRPC, "HTTP": res.honest.target.HTTP,
		"Admin": res.honest.target.Admin, "OrderID": res.honest.target.OrderID})
	if err != nil {
		return "", err
	}
	var out strings.Builder
	cmd := exec.CommandContext(ctx, self, hostile, res.name, string(aim))
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	_ = sleep(ctx, res.lasts)
	_ = stdin.Close()
	if err := cmd.Wait(); err != nil {
		return "", fmt.Errorf("the hostile client: %w", err)
	}
	return strings.TrimSpace(out.String()), nil
}
