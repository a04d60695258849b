package svc

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
)

// What happens to a file of the configuration is seen, and comes into force whole or not
// at all.
func TestWatch(t *testing.T) {
	const first, next = "service: {seconds: 7}\n", "service: {seconds: 9}\n"
	for name, test := range map[string]struct {
		change      func(t *testing.T, path string)
		wantSeconds int64
		wantRefused string
	}{
		"written": {func(t *testing.T, path string) { write(t, path, next) }, 9, ""},
		"replaced, as editors do": {func(t *testing.T, path string) {
			write(t, path+"~", next)
			must(t, os.Rename(path+"~", path))
		}, 9, ""},
		"gone for a while": {func(t *testing.T, path string) {
			must(t, os.Remove(path))
			time.Sleep(4 * watchInterval)
			write(t, path, next)
		}, 9, ""},
		"written in pieces": {func(t *testing.T, path string) {
			write(t, path, next[:len(next)/2])
			time.Sleep(watchInterval / 2)
			write(t, path, next)
		}, 9, ""},
		"a ConfigMap, mounted": {func(t *testing.T, path string) {
			dir := filepath.Dir(path)
			mounted := func(version, text string) {
				must(t, os.Mkdir(filepath.Join(dir, version), 0o700))
				write(t, filepath.Join(dir, version, "config.yaml"), text)
				must(t, os.Symlink(version, filepath.Join(dir, "..data_tmp")))
				must(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
			}
			mounted("..1", first)
			must(t, os.Remove(path))
			must(t, os.Symlink("..data/config.yaml", path))
			time.Sleep(3 * watchInterval)
			mounted("..2", next)
			must(t, os.RemoveAll(filepath.Join(dir, "..1")))
		}, 9, ""},
		"broken": {func(t *testing.T, path string) { write(t, path, "service: {seconds: -1}\n") }, 7,
			"service.seconds: must be greater than 0"},
		"for a restart": {func(t *testing.T, path string) { write(t, path, "stop: {budget: 4s, drain_delay: 1s}\n"+next) }, 7,
			"stop.drain_delay: cannot change while the service runs"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "config.yaml")
			write(t, path, first)
			s := greeter(t, hello)
			r := start(t, s, Options{Config: path})
			test.change(t, path)
			var dump string
			wanted := regexp.MustCompile(fmt.Sprintf(`(?s)^# Generation \d+, in force since .*%s.*seconds: %d\n`, regexp.QuoteMeta(test.wantRefused), test.wantSeconds))
			for end := time.Now().Add(time.Minute); !wanted.MatchString(dump); time.Sleep(50 * time.Millisecond) {
				if _, dump = r.admin(t, "GET", "/config"); time.Now().After(end) {
					t.Fatalf("after a minute /config is not like %s:\n%s", wanted, dump)
				}
			}
			if got := s.Config.(*Config[*durationpb.Duration]).Load().GetSeconds(); got != test.wantSeconds {
				t.Errorf("seconds = %d, want %d", got, test.wantSeconds)
			}
			_, metrics := r.admin(t, "GET", "/metrics")
			successful := 1
			if test.wantRefused != "" {
				successful = 0
			}
			if want := fmt.Sprintf("\nsvc_config_last_reload_successful %d\n", successful); !strings.Contains(metrics, want) {
				t.Errorf("/metrics has no %q", want)
			}
		})
	}
}

// A file that is still as it was at the last attempt is not loaded again, and one that was
// refused is refused once.
func TestWatchOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	write(t, path, "{}\n")
	r := start(t, greeter(t, hello), Options{Config: path})
	write(t, path, "nonsense: 1\n")
	time.Sleep(6 * watchInterval)
	if n := strings.Count(r.log.String(), "config not reloaded"); n != 1 {
		t.Errorf("the log says %d times that the file is refused, want 1:\n%s", n, r.log)
	}
	if n := strings.Count(r.log.String(), "config reloaded"); n != 0 {
		t.Errorf("it was loaded %d times, want never", n)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o600))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
