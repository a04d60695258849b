package admin

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/protosvc/protosvc/svc/internal/sleep"
)

// The profiles are those of net/http/pprof, with the same addresses and the same
// parameters for go tool pprof and go tool trace. That package would add 240 kB
// to every image, for pages in HTML, differences of profiles, and symbols, which
// profiles have carried themselves for long.

// recordings are the profiles that take a while: ?seconds=N says how long.
var recordings = map[string]struct {
	about  string
	usual  time.Duration
	record func(ctx context.Context, w io.Writer, d time.Duration) error
}{
	"profile": {"CPU", 30 * time.Second, func(ctx context.Context, w io.Writer, d time.Duration) error {
		if err := pprof.StartCPUProfile(w); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
		return pause(ctx, d)
	}},
	"trace": {"execution trace, for go tool trace", time.Second, func(ctx context.Context, w io.Writer, d time.Duration) error {
		if err := trace.Start(w); err != nil {
			return err
		}
		defer trace.Stop()
		return pause(ctx, d)
	}},
}

// pause waits, or returns early when the reader has gone: nobody wants the rest.
func pause(ctx context.Context, d time.Duration) error {
	sleep.For(ctx, d)
	return nil
}

// profile serves one profile: a snapshot (?debug=1 as text, ?gc=1 after a garbage
// collection) or a recording.
func profile(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if name == "cmdline" {
		write(w, http.StatusOK, plainText, strings.Join(os.Args, "\x00"))
		return
	}
	code, err := 0, error(nil)
	if recording, ok := recordings[name]; ok {
		code, err = record(w, r, name, recording.usual, recording.record)
	} else {
		code, err = snapshot(w, r, name)
	}
	if err != nil {
		w.Header().Del("Content-Disposition")
		write(w, code, plainText, err.Error()+"\n")
	}
}

// record and snapshot return what to answer instead of the profile.

func record(w http.ResponseWriter, r *http.Request, name string, d time.Duration, run func(context.Context, io.Writer, time.Duration) error) (code int, err error) {
	if text := r.FormValue("seconds"); text != "" {
		seconds, err := strconv.ParseFloat(text, 64)
		if err != nil || !(seconds > 0 && seconds <= 3600) {
			return http.StatusBadRequest, fmt.Errorf("seconds %q is not a number above 0 and up to 3600", text)
		}
		d = time.Duration(seconds * float64(time.Second))
	}
	attach(w, name)
	return http.StatusConflict, run(r.Context(), inParts(w, r, d), d) // one at a time
}

func snapshot(w http.ResponseWriter, r *http.Request, name string) (code int, err error) {
	p := pprof.Lookup(name)
	if p == nil {
		return http.StatusNotFound, fmt.Errorf("there is no profile %q (GET /debug/pprof/ lists them)", name)
	}
	if name == "heap" && r.FormValue("gc") != "" {
		runtime.GC()
	}
	debug, _ := strconv.Atoi(r.FormValue("debug")) // 0 is the format of go tool pprof
	if debug == 0 {
		attach(w, name)
	} else {
		w.Header().Set("Content-Type", plainText)
	}
	_ = p.WriteTo(w, debug) // fails only when the reader has gone
	return 0, nil
}

func attach(w http.ResponseWriter, name string) {
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
}

// noProfiles says who decided so, since whoever asks has no time to look for it.
func noProfiles(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusNotFound, plainText, "there are no profiles: (svc.v1.service).go_runtime.profiles is false in the contract of the service\n")
}

// profiles lists what profile serves.
func profiles(w http.ResponseWriter, _ *http.Request) {
	var lines []string
	for _, p := range pprof.Profiles() {
		lines = append(lines, fmt.Sprintf("/debug/pprof/%-14s %d now (?debug=1 as text)\n", p.Name(), p.Count()))
	}
	for name, r := range recordings {
		lines = append(lines, fmt.Sprintf("/debug/pprof/%-14s %s (?seconds=%g)\n", name, r.about, r.usual.Seconds()))
	}
	lines = append(lines, fmt.Sprintf("/debug/pprof/%-14s the command line\n", "cmdline"))
	slices.Sort(lines)
	write(w, http.StatusOK, plainText, strings.Join(lines, ""))
}
