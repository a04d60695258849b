package contractdiff

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"google.golang.org/protobuf/types/pluginpb"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/plugin"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/settings"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/sync"
)

// ErrBreaking is what Run returns when asked to fail and something breaks.
var ErrBreaking = errors.New("the new contract breaks the old one")

// Options say what Run compares.
type Options struct {
	// Old and New name contracts; see Open.
	Old, New string

	// Buf is how to run buf.
	Buf sync.Buf

	// Generate makes the outputs of a run.
	Generate func(*pluginpb.CodeGeneratorRequest) ([]plugin.File, error)

	// JSON prints a Report as JSON instead of text.
	JSON bool

	// Fail returns ErrBreaking for a breaking change.
	Fail bool
}

// Report is everything that differs.
type Report struct {
	Changes []Change `json:"changes"`
	Wire    []Break  `json:"wire"`
	Files   []File   `json:"files"`
}

// Run prints what differs between two contracts.
func Run(ctx context.Context, o Options, out io.Writer) error {
	var err error
	if o.Buf.Command, err = o.Buf.Line(); err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "protoc-gen-svc-diff-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	report, err := compare(ctx, o, temp)
	if err != nil {
		return err
	}
	print := report.text
	if o.JSON {
		print = report.json
	}
	if err := print(out); err != nil {
		return err
	}
	if o.Fail && report.count(Breaking) > 0 {
		return ErrBreaking
	}
	return nil
}

func compare(ctx context.Context, o Options, temp string) (*Report, error) {
	before, err := Open(ctx, o.Old, temp, o.Buf)
	if err != nil {
		return nil, err
	}
	after, err := Open(ctx, o.New, temp, o.Buf)
	if err != nil {
		return nil, err
	}
	oldRuns, olds, err := read(ctx, o.Old, before)
	if err != nil {
		return nil, err
	}
	newRuns, news, err := read(ctx, o.New, after)
	if err != nil {
		return nil, err
	}
	oldMessages, err := messagesOf(oldRuns)
	if err != nil {
		return nil, err
	}
	newMessages, err := messagesOf(newRuns)
	if err != nil {
		return nil, err
	}
	r := &Report{Changes: append(Compare(olds, news), compareMessages(oldMessages, newMessages)...)}
	if r.Files, err = o.files(oldRuns, newRuns); err != nil {
		return nil, err
	}
	r.Wire, err = wire(ctx, o.Buf.Command, temp, oldRuns, newRuns)
	return r, err
}

func read(ctx context.Context, name string, source sync.Source) (requests []*pluginpb.CodeGeneratorRequest, groups []settings.Group, err error) {
	if requests, err = sync.Requests(ctx, source); err == nil {
		groups, err = settings.OfRequests(requests)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return requests, groups, nil
}

// count returns how many changes have the level. What buf finds is breaking.
func (r *Report) count(level Level) (n int) {
	for _, c := range r.Changes {
		if c.Level == level {
			n++
		}
	}
	if level == Breaking {
		n += len(r.Wire)
	}
	return n
}

// text prints the report for people.
func (r *Report) text(out io.Writer) error {
	if len(r.Changes)+len(r.Wire)+len(r.Files) == 0 {
		_, err := fmt.Fprintln(out, "nothing differs")
		return err
	}
	var lines strings.Builder
	title := ""
	columns := tabwriter.NewWriter(&lines, 0, 0, 2, ' ', 0)
	for _, c := range r.Changes {
		if t := c.Kind + " " + c.Name; t != title {
			_ = columns.Flush()
			fmt.Fprintln(&lines, t)
			title = t
		}
		reason := c.Reason
		if c.At != "" {
			reason += "\t" + c.At
		}
		fmt.Fprintf(columns, "  %s\t%s\t%s\n", c.Level, c.what(), reason)
	}
	_ = columns.Flush()
	if len(r.Wire) > 0 {
		fmt.Fprintln(&lines, "wire, by buf breaking")
	}
	for _, b := range r.Wire {
		fmt.Fprintf(&lines, "  breaking  %s:%d:%d: %s (%s)\n", b.Path, b.Line, b.Column, b.Message, b.Rule)
	}
	if len(r.Files) > 0 {
		fmt.Fprintln(&lines, "generated files")
	}
	for _, f := range r.Files {
		fmt.Fprintf(&lines, "  %-8s  %s\n", f.Change, f.Path)
	}
	fmt.Fprintf(&lines, "\n%d breaking, %d to look at, %d safe\n", r.count(Breaking), r.count(Look), r.count(Safe))
	_, err := io.WriteString(out, lines.String())
	return err
}

// what says what changed, on one line.
func (c Change) what() string {
	switch {
	case c.Option == "" && c.Reason == added[c.Kind].reason:
		return "new"
	case c.Option == "":
		return "gone"
	}
	show := func(value string) string {
		if value == "" {
			return "none"
		}
		return strings.Join(strings.Fields(value), " ")
	}
	return fmt.Sprintf("%s: %s -> %s", c.Option, show(c.Old), show(c.New))
}

// json prints the report for programs.
func (r *Report) json(out io.Writer) error {
	if r.Changes == nil {
		r.Changes = []Change{}
	}
	if r.Wire == nil {
		r.Wire = []Break{}
	}
	if r.Files == nil {
		r.Files = []File{}
	}
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
