package admin

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/protosvc/protosvc/internal/reload"
)

// reloads are the pages that change what is in force, or show it: do does it.
func reloads(do func(reload.Request) reload.Response) []page {
	handler := func(read func(*http.Request) (reload.Request, error)) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			request, err := read(r)
			if err != nil {
				write(w, http.StatusBadRequest, plainText, err.Error()+"\n")
				return
			}
			answer(w, do(request))
		})
	}
	return []page{
		{"GET", "/config/reload", "which configuration is in force, and what the files are now", handler(look)},
		{"POST", "/config/reload", "read the configuration anew (?dry_run=1)", handler(load)},
		{"POST", "/config/hold", "do not reload by yourself (?for=1m)", handler(hold)},
		{"POST", "/config/undo", "put in force what was before (?files=HASH)", handler(undo)},
	}
}

func look(*http.Request) (reload.Request, error) { return reload.Request{Action: reload.Look}, nil }

// load reads what is to be checked, if it is a dry run: one file as it is, or JSON with some
// by their names.
func load(r *http.Request) (reload.Request, error) {
	dry := r.URL.Query().Get("dry_run")
	dryRun, err := strconv.ParseBool(dry)
	if err != nil && dry != "" {
		return reload.Request{}, fmt.Errorf("dry_run %q is neither 1 nor 0", dry)
	}
	if !dryRun {
		return reload.Request{Action: reload.Load}, nil
	}
	request := reload.Request{Action: reload.Check}
	body, _ := io.ReadAll(r.Body) // is in memory
	if len(body) == 0 {
		return request, nil
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		request.Texts = map[string][]byte{"": body}
		return request, nil
	}
	var texts map[string]string
	if err := json.Unmarshal(body, &texts); err != nil {
		return request, fmt.Errorf("the body is not a JSON object of files by their names: %w", err)
	}
	request.Texts = map[string][]byte{}
	for name, text := range texts {
		request.Texts[name] = []byte(text)
	}
	return request, nil
}

func hold(r *http.Request) (reload.Request, error) {
	text := r.URL.Query().Get("for")
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > reload.LongestHold {
		return reload.Request{}, fmt.Errorf("for %q is not a duration from 0s to %v", text, reload.LongestHold)
	}
	return reload.Request{Action: reload.Hold, For: d}, nil
}

func undo(r *http.Request) (reload.Request, error) {
	files := r.URL.Query().Get("files")
	if files == "" {
		return reload.Request{}, fmt.Errorf("files has to be the hash of what is to be undone")
	}
	return reload.Request{Action: reload.Undo, Files: files}, nil
}

// answer is 200, or 422 where something was refused.
func answer(w http.ResponseWriter, response reload.Response) {
	code := http.StatusOK
	if response.Outcome == reload.Refused {
		code = http.StatusUnprocessableEntity
	}
	var body strings.Builder
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // no browser shows it as HTML
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(response) // strings, numbers and times only: cannot fail
	write(w, code, "application/json", body.String())
}
