package admin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
)

// write answers with text that no cache keeps.
func write(w http.ResponseWriter, code int, kind, body string) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	fmt.Fprint(w, body)
}

const plainText = "text/plain; charset=utf-8"

func index(o Options, pages []page) http.Handler {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n\n", o.Service, o.Version)
	for _, p := range pages {
		fmt.Fprintf(&b, "%-4s %-16s %s\n", p.method, p.path, p.about)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusOK, plainText, b.String())
	})
}

func config(dump func() []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusOK, "application/yaml", string(dump()))
	})
}

// buildInfo is what the linker and the Go tool know of the binary. Revision and
// Time are empty where it was built outside a checkout.
type buildInfo struct {
	Service  string `json:"service"`
	Version  string `json:"version"`
	Module   string `json:"module"`
	Go       string `json:"go"`
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"`
	Modified bool   `json:"modified"`
	Tags     string `json:"tags,omitempty"`
}

func build(o Options) http.Handler {
	body, _ := json.MarshalIndent(readBuild(o), "", "  ") // strings only: cannot fail
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusOK, "application/json", string(body)+"\n")
	})
}

func readBuild(o Options) buildInfo {
	b := buildInfo{Service: o.Service, Version: o.Version}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	b.Module, b.Go = info.Main.Path, info.GoVersion
	b.Revision, b.Time = settings["vcs.revision"], settings["vcs.time"]
	b.Modified, b.Tags = settings["vcs.modified"] == "true", settings["-tags"]
	return b
}
