package guide

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/protosvc/protosvc/internal/testfolder"
)

// startTimeout is how long a service may take to be ready, and to stop.
const startTimeout = 30 * time.Second

// project is what the reader of the guide has in front of them.
type project struct {
	dir   string
	ports map[string]string // free ones, by those of the pages
}

// write makes a file, or changes it, or compares it.
func (p project) write(t *testing.T, b Block) {
	t.Helper()
	name := filepath.Join(p.dir, b.File)
	old, err := os.ReadFile(name)
	if err != nil && (b.Quoted || b.Language == "diff") {
		t.Fatal(err)
	}
	text, err := b.Apply(string(old))
	if b.Quoted {
		if err != nil {
			t.Error(err) // and the page goes on
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if filepath.Base(name) == "kustomization.yaml" {
		render(t, filepath.Dir(name))
	}
}

// render renders an overlay as kubectl apply -k does.
func render(t *testing.T, folder string) {
	t.Helper()
	rendered, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		t.Fatalf("%s: %v", folder, err)
	}
	text, err := rendered.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	// What it renames and sets over is there.
	for _, want := range []string{"image: registry.example.com/notes/note:v1.0.0", "image: registry.example.com/notes/task:v1.0.0", "max_name_length: 40"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s renders no %s", folder, want)
		}
	}
}

// play runs a command of the console and compares what it says. A service that is started
// in the background stops with the page.
func (p project) play(t *testing.T, c Command) {
	t.Helper()
	cmd := exec.Command("bash", "-ec", p.local(t, strings.TrimSuffix(c.Line, "&\n")))
	cmd.Dir, cmd.Env = p.dir, p.environment(t)
	if strings.HasSuffix(c.Line, "&\n") {
		cmd.Args[2] = "exec env " + cmd.Args[2] // so that signals reach it
		p.start(t, cmd)
		return
	}
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("$ %s%v\n%s", c.Line, err, output)
	}
	if err := c.Compare(string(output)); err != nil {
		t.Error(err)
	}
}

// local has each port of the loopback replaced by a free one.
func (p project) local(t *testing.T, line string) string {
	return regexp.MustCompile(`localhost:\d+`).ReplaceAllStringFunc(line, func(address string) string {
		if p.ports[address] == "" {
			l, err := net.Listen("tcp", "localhost:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			p.ports[address] = fmt.Sprintf("localhost:%d", l.Addr().(*net.TCPAddr).Port)
		}
		return p.ports[address]
	})
}

// environment has the ports of the note service, which the pages leave as they are in its
// config.yaml.
func (p project) environment(t *testing.T) []string {
	return append(testfolder.Environment(p.dir), "GOWORK=off",
		"NOTE_STOP_DRAIN_DELAY=0s", "TASK_STOP_DRAIN_DELAY=0s",
		"NOTE_LISTEN_GRPC="+p.local(t, "localhost:9090"), "NOTE_LISTEN_HTTP="+p.local(t, "localhost:8080"),
		"NOTE_LISTEN_ADMIN="+p.local(t, "localhost:9091"))
}

// start starts a service and returns when it is ready.
func (p project) start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	log := new(output)
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // fails if it has ended
		kill := time.AfterFunc(startTimeout, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		if err := <-ended; err != nil || t.Failed() {
			t.Errorf("%s: %v\n%s", cmd, err, log.text())
		}
	})
	for deadline := time.Now().Add(startTimeout); !strings.Contains(log.text(), `"msg":"ready"`); time.Sleep(10 * time.Millisecond) {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s ended at once", cmd)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is not ready after %v", cmd, startTimeout)
		}
	}
}

// output is what a process writes.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
