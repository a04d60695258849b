package svc

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/internal/reload"
)

// manyReloads takes half a minute with -reloads=10000.
var manyReloads = flag.Int("reloads", 1000, "how often TestManyReloads reloads")

// Many reloads, a third of them refused, while calls come in: no call fails, no reader
// sees a mix of two configurations, each reload ends as it has to, and nothing of them is
// left.
func TestManyReloads(t *testing.T) {
	const callers = 4
	count := *manyReloads
	path := filepath.Join(t.TempDir(), "config.yaml")
	put := func(text string) { // whole, for the watch looks at it, too
		write(t, path+"~", text)
		must(t, os.Rename(path+"~", path))
	}
	put("service: {seconds: 1, nanos: 1}\n")
	s := greeter(t, hello)
	config := s.Config.(*Config[*durationpb.Duration])
	r := start(t, s, Options{Config: path})
	conn, err := grpc.NewClient(r.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(t, err)
	defer conn.Close()

	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	var calls atomic.Int64
	for range callers {
		group.Go(func() {
			for ctx.Err() == nil {
				if err := conn.Invoke(context.WithoutCancel(ctx), "/test.v1.GreeterService/Greet", wrapperspb.String("you"), new(wrapperspb.StringValue)); err != nil {
					t.Errorf("a call failed: %v", err)
					return
				}
				calls.Add(1)
				if c := config.Load(); c.GetSeconds() != int64(c.GetNanos()) {
					t.Errorf("a mix is in force: %v", c)
					return
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
	client := &http.Client{}
	again := func(want reload.Outcome) {
		t.Helper()
		res, err := client.Post("http://"+r.Admin+"/config/reload", "", nil)
		must(t, err)
		defer res.Body.Close()
		var got reload.Response
		must(t, json.NewDecoder(res.Body).Decode(&got))
		if got.Outcome != want {
			t.Fatalf("%s is %v, want %s", path, got, want)
		}
	}
	before := 0
	for n := range count {
		switch {
		case n%3 == 2:
			put(fmt.Sprintf("service: {seconds: -%d, nanos: 0}\n", n))
			again(reload.Refused)
		default:
			put(fmt.Sprintf("service: {seconds: %d, nanos: %[1]d}\n", n+1))
			again(reload.Reloaded)
			if got := config.Load().GetSeconds(); got != int64(n+1) {
				t.Fatalf("after reload %d, %d is in force", n+1, got)
			}
		}
		if n == count/10 {
			before = runtime.NumGoroutine()
		}
	}
	after := runtime.NumGoroutine()
	stop()
	group.Wait()
	client.CloseIdleConnections()
	if after > before+5 {
		t.Errorf("%d goroutines, %d after a tenth of the reloads", after, before)
	}
	if calls.Load() < int64(count/100) {
		t.Errorf("only %d calls", calls.Load())
	}
	t.Logf("%d calls", calls.Load())
}
