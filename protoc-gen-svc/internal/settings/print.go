package settings

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strings"
	"text/tabwriter"
)

// annotationOf is the option that a kind of group is about, as far as there is one
// alone: its name goes without saying.
var annotationOf = map[string]string{"service": "(svc.v1.service).", "method": "(svc.v1.method).", "config": "(svc.v1.field)."}

// Text prints groups for people: a line for each setting, with its value, where
// that comes from, and what it reaches. Long values go on in lines below.
func Text(out io.Writer, groups []Group) error {
	for i, g := range groups {
		if i > 0 {
			fmt.Fprintln(out)
		}
		title := g.Kind + " " + g.Name
		if g.Deployable != "" {
			title += ", deployed as " + g.Deployable
		}
		fmt.Fprintln(out, title)
		var lines strings.Builder
		columns := tabwriter.NewWriter(&lines, 0, 0, 2, ' ', 0)
		for _, s := range g.Settings {
			value := wrap(cmp.Or(oneLine(s.Value), "-"))
			fmt.Fprintf(columns, "  %s\t%s\t%s\t%s\n", strings.TrimPrefix(s.Option, annotationOf[g.Kind]), value[0], origin(s, annotationOf[g.Kind]), cmp.Or(fold(s.Outputs), "-"))
			for _, more := range value[1:] {
				fmt.Fprintf(columns, "  \t%s\t\t\n", more)
			}
		}
		_ = columns.Flush() // a string takes everything
		for line := range strings.Lines(lines.String()) {
			if _, err := fmt.Fprintln(out, strings.TrimRight(line, " \n")); err != nil {
				return err
			}
		}
	}
	return nil
}

// origin says in a word where a value comes from. What is known of options goes
// without saying.
func origin(s Setting, known string) string {
	if s.Derived != "" {
		return "by " + strings.TrimPrefix(s.Derived, known)
	}
	return cmp.Or(s.From, "default")
}

// valueWidth is how wide a value may be before it is broken between words.
const valueWidth = 44

func wrap(value string) []string {
	lines := []string{""}
	for i, word := range strings.Split(value, " ") {
		last := &lines[len(lines)-1]
		switch {
		case i == 0:
			*last = word
		case len(*last)+1+len(word) > valueWidth:
			lines = append(lines, word)
		default:
			*last += " " + word
		}
	}
	return lines
}

// JSON prints groups for programs: an array of Group.
func JSON(out io.Writer, groups []Group) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(groups)
}

// oneLine keeps a value from breaking its line or its column.
func oneLine(value string) string {
	return strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(value)
}

// fold writes sorted paths with what is in one folder in braces.
func fold(paths []string) string {
	var folders []string
	in := map[string][]string{}
	for _, p := range paths {
		folder := path.Dir(p)
		if parts := strings.SplitN(p, "/", 3); parts[0] == "deploy" && len(parts) == 3 {
			folder = parts[0] + "/" + parts[1] // of one service
		}
		if in[folder] == nil {
			folders = append(folders, folder)
		}
		in[folder] = append(in[folder], strings.TrimPrefix(p, folder+"/"))
	}
	var out []string
	for _, folder := range folders {
		files := strings.Join(in[folder], ",")
		if len(in[folder]) > 1 {
			files = "{" + files + "}"
		}
		out = append(out, folder+"/"+files)
	}
	return strings.Join(out, " ")
}
