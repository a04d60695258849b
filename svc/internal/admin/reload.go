package admin

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// ReloadRequest is what /config/reload is asked for.
type ReloadRequest struct {
	DryRun bool   // check only
	Text   []byte // of a dry run: to be checked in the place of the file; nil is the file itself
}

// ReloadResponse is the answer, as JSON.
type ReloadResponse struct {
	Outcome    Outcome `json:"outcome"`
	Generation int     `json:"generation"` // of the configuration in force, from 1
	Files      string  `json:"files"`      // a hash of its files
	Faults     []Fault `json:"faults,omitempty"`
}

// Outcome says what became of the configuration that was read.
type Outcome string

// What can become of a configuration.
const (
	Reloaded Outcome = "reloaded" // it is in force
	Valid    Outcome = "valid"    // it would come into force
	Refused  Outcome = "refused"  // the one before stays
)

// Fault is something wrong with a configuration. Where there is a place, it has either a
// file or a variable of the environment.
type Fault struct {
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`   // from 1
	Column   int    `json:"column,omitempty"` // from 1
	Variable string `json:"variable,omitempty"`
	Message  string `json:"message"`
}

func reload(again func(ReloadRequest) ReloadResponse) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		dry := r.URL.Query().Get("dry_run")
		dryRun, err := strconv.ParseBool(dry)
		if err != nil && dry != "" {
			write(w, http.StatusBadRequest, plainText, "dry_run "+strconv.Quote(dry)+" is neither 1 nor 0\n")
			return
		}
		request := ReloadRequest{DryRun: dryRun}
		if dryRun {
			if text, _ := io.ReadAll(r.Body); len(text) > 0 { // is in memory
				request.Text = text
			}
		}
		response, code := again(request), http.StatusOK
		if response.Outcome == Refused {
			code = http.StatusUnprocessableEntity
		}
		var body strings.Builder
		encoder := json.NewEncoder(&body)
		encoder.SetEscapeHTML(false) // no browser shows it as HTML
		encoder.SetIndent("", "  ")
		_ = encoder.Encode(response) // strings and numbers only: cannot fail
		write(w, code, "application/json", body.String())
	})
}
