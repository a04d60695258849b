package svc

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/protosvc/protosvc/internal/reload"
)

// manage is a request to the pages that manage a configuration.
func (r *running) manage(t *testing.T, method, page string) (code int, res reload.Response) {
	t.Helper()
	code, answer := r.admin(t, method, "/config/"+page)
	if err := json.Unmarshal([]byte(answer), &res); err != nil {
		t.Fatalf("%s: %d %s", page, code, answer)
	}
	return code, res
}

// While reloads are held a file comes into force when somebody asks for it, and else when
// the hold ends.
func TestHold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	write(t, path, "service: {seconds: 1}\n")
	s := greeter(t, hello)
	r := start(t, s, Options{Config: path})
	seconds := func() int64 { return s.Config.(*Config[*durationpb.Duration]).Load().GetSeconds() }

	code, held := r.manage(t, http.MethodPost, "hold?for=5m")
	if code != http.StatusOK || held.Outcome != reload.Held || held.HeldUntil == nil || time.Until(*held.HeldUntil) < 4*time.Minute {
		t.Fatalf("the hold is answered with %d %+v", code, held)
	}
	write(t, path, "service: {seconds: 2}\n")
	time.Sleep(4 * watchInterval)
	_, now := r.manage(t, http.MethodGet, "reload")
	if seconds() != 1 || now.Files != held.Files || now.Found == held.Files || now.Generation != 1 {
		t.Fatalf("while they are held, %d is in force: %+v", seconds(), now)
	}
	if _, dump := r.admin(t, http.MethodGet, "/config"); !strings.Contains(dump, "\n# Held until "+held.HeldUntil.Format(time.RFC3339)) {
		t.Errorf("/config does not say that it is held:\n%s", dump)
	}
	code, loaded := r.manage(t, http.MethodPost, "reload")
	if code != http.StatusOK || loaded.Outcome != reload.Reloaded || loaded.Files != now.Found || seconds() != 2 {
		t.Fatalf("the reload is answered with %d %+v, and %d is in force", code, loaded, seconds())
	}
	write(t, path, "service: {seconds: 3}\n")
	time.Sleep(4 * watchInterval)
	if seconds() != 2 {
		t.Fatalf("after a reload, nothing is held any more")
	}
	if code, released := r.manage(t, http.MethodPost, "hold?for=0s"); code != http.StatusOK || released.Outcome != reload.Released || released.HeldUntil != nil {
		t.Fatalf("the end of the hold is answered with %d %+v", code, released)
	}
	for end := time.Now().Add(time.Minute); seconds() != 3; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a minute after the hold, the file is not in force")
		}
	}
}

// An undo puts in force what was before, once, if what is to be undone is in force; and the
// file that was undone stays out of force while it is as it is.
func TestUndo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	write(t, path, "service: {seconds: 1}\n")
	s := greeter(t, hello)
	r := start(t, s, Options{Config: path})
	seconds := func() int64 { return s.Config.(*Config[*durationpb.Duration]).Load().GetSeconds() }
	_, first := r.manage(t, http.MethodGet, "reload")

	code, res := r.manage(t, http.MethodPost, "undo?files="+first.Files)
	const nothing = "were in force from the start, or what was before them was undone: there is nothing to go back to"
	if code != http.StatusUnprocessableEntity || res.Outcome != reload.Refused || len(res.Faults) != 1 || !strings.HasSuffix(res.Faults[0].Message, nothing) {
		t.Errorf("what was there from the start is undone: %d %+v", code, res)
	}
	write(t, path, "service: {seconds: 2}\n")
	_, second := r.manage(t, http.MethodPost, "reload")
	if code, res := r.manage(t, http.MethodPost, "undo?files="+first.Files); code != http.StatusOK || res.Outcome != reload.Kept || seconds() != 2 {
		t.Errorf("what is not in force is undone: %d %+v, %d", code, res, seconds())
	}
	code, res = r.manage(t, http.MethodPost, "undo?files="+second.Files)
	if code != http.StatusOK || res.Outcome != reload.Undone || res.Files != first.Files || res.Found != second.Files || seconds() != 1 ||
		res.Refusal == nil || res.Refusal.Files != second.Files || res.Refusal.Reason != "whoever reloads this service had it undone" {
		t.Errorf("the undo is answered with %d %+v, and %d is in force", code, res, seconds())
	}
	if code, res := r.manage(t, http.MethodPost, "undo?files="+second.Files); code != http.StatusOK || res.Outcome != reload.Kept || seconds() != 1 {
		t.Errorf("it is undone twice: %d %+v, %d", code, res, seconds())
	}
	time.Sleep(4 * watchInterval)
	if seconds() != 1 {
		t.Error("what was undone came back by itself")
	}
	if _, dump := r.admin(t, http.MethodGet, "/config"); !strings.Contains(dump, "# The last reload was refused, files "+second.Files+":\n#   whoever reloads this service had it undone\n") {
		t.Errorf("/config does not say what was undone:\n%s", dump)
	}
}

// Faults that only want a restart say so.
func TestWantsRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	write(t, path, "{}\n")
	r := start(t, greeter(t, hello), Options{Config: path})
	write(t, path, "stop: {budget: 4s}\n")
	if _, res := r.manage(t, http.MethodPost, "reload?dry_run=1"); len(res.Faults) != 1 || !res.Faults[0].Restart {
		t.Errorf("the faults are %+v", res.Faults)
	}
	write(t, path, "stop: {budget: 4s}\nnonsense: 1\n")
	if _, res := r.manage(t, http.MethodPost, "reload?dry_run=1"); len(res.Faults) != 1 || res.Faults[0].Restart {
		t.Errorf("the faults are %+v", res.Faults)
	}
}
