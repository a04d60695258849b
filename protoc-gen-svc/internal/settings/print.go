package settings

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// annotationOf is the option that a kind of group is about, as far as there is one
// alone: its name goes without saying.
var annotationOf = map[string]string{
	"service": "(svc.v1.service).", "method": "(svc.v1.method).", "error": "(svc.v1.error).", "config": "(svc.v1.field).",
}

// width is how wide a line may be where it can be broken.
const width = 110

// Text prints groups for people in a hurry: a line for each setting that has a value,
// with where it comes from, and one for each error and each field of the configuration.
// Long values go on in lines below.
func Text(out io.Writer, groups []Group) error {
	var b strings.Builder
	for i := 0; i < len(groups); {
		if i > 0 {
			b.WriteByte('\n')
		}
		together := siblings(groups[i:])
		if len(together) > 1 {
			members(together).print(&b)
		} else {
			settings := slices.DeleteFunc(slices.Clone(groups[i].Settings), func(s Setting) bool { return s.Value == "" && s.From == "" })
			b.WriteString(groups[i].title() + "\n")
			lines(groups[i].Kind, settings, false /* without files */).print(&b)
		}
		i += len(together)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// Verbose prints all that is known of groups: a line for each setting, and what it
// reaches below it.
func Verbose(out io.Writer, groups []Group) error {
	var b strings.Builder
	for i, g := range groups {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(g.title() + "\n")
		lines(g.Kind, g.Settings, true /* with files */).print(&b)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func (g Group) title() string {
	if g.Deployable != "" {
		return g.Kind + " " + g.Name + ", deployed as " + g.Deployable
	}
	return g.Kind + " " + g.Name
}

// split cuts the name of an error or a field of the configuration from that of what
// it is in.
func (g Group) split() (parent, name string) {
	i := strings.LastIndexByte(g.Name, '.')
	return g.Name[:max(i, 0)], g.Name[i+1:]
}

// siblings are the groups in front that are errors of one enum, or fields of one
// message; else the first group alone.
func siblings(groups []Group) []Group {
	first, _ := groups[0].split()
	n := 1
	for n < len(groups) && (groups[0].Kind == "error" || groups[0].Kind == "config") && groups[n].Kind == groups[0].Kind {
		if parent, _ := groups[n].split(); parent != first {
			break
		}
		n++
	}
	return groups[:n]
}

// line is a line of the output, in three columns, and what stands below it.
type line struct {
	indent                int
	option, value, origin string
	below                 string
}

// block is a title, which may be empty, and lines.
type block struct {
	title string
	lines []line
}

// members has a line for each error of an enum, or each field of a message.
func members(groups []Group) block {
	parent, _ := groups[0].split()
	all := block{title: groups[0].Kind + " " + parent}
	for _, g := range groups {
		_, name := g.split()
		one := line{indent: 2, option: name}
		var words, texts []string
		for _, s := range g.Settings {
			option, own := strings.CutPrefix(s.Option, annotationOf[g.Kind])
			if !own || s.Value == "" || isName(s) {
				continue // what they have in common, or nothing
			}
			if value := oneLine(s.Value); strings.Contains(value, " ") {
				texts = append(texts, fmt.Sprintf("%s=%q", option, value))
			} else {
				words = append(words, option+"="+value)
			}
			one.origin = cmp.Or(one.origin, s.From)
		}
		one.value = strings.TrimPrefix(strings.Join(append([]string{strings.Join(words, " ")}, texts...), "\n"), "\n")
		one.origin = cmp.Or(one.origin, "default")
		all.lines = append(all.lines, one)
	}
	return all
}

// lines has a line for each setting. Those of an element stand below its name.
func lines(kind string, settings []Setting, files bool) block {
	known, element := annotationOf[kind], ""
	var all block
	for _, s := range settings {
		one := line{indent: 2, option: strings.TrimPrefix(s.Option, known), value: cmp.Or(oneLine(s.Value), "-"), origin: origin(s, known)}
		if files {
			one.below = cmp.Or(fold(s.Outputs), "-")
		}
		i := strings.LastIndexByte(one.option, ']') + 1
		switch name := one.option[:i]; {
		case i == 0:
			element = ""
		case isName(s):
			one.option, one.value, element = name, "", name
		default:
			if element != name {
				all.lines = append(all.lines, line{indent: 2, option: name})
			}
			one.indent, one.option, element = 4, strings.TrimPrefix(one.option[i:], "."), name
		}
		all.lines = append(all.lines, one)
	}
	return all
}

// isName tells the setting that an element has its name from.
func isName(s Setting) bool {
	i := strings.LastIndexByte(s.Option, ']')
	return i >= 0 && strings.HasSuffix(s.Option[:i], "["+s.Value) && !strings.HasSuffix(s.Option, "]")
}

// print pads the columns, and breaks values so that lines keep to the width.
func (b block) print(out *strings.Builder) {
	if b.title != "" {
		out.WriteString(b.title + "\n")
	}
	options, origins := 0, 0
	for _, l := range b.lines {
		if l.value != "" {
			options = max(options, l.indent+utf8.RuneCountInString(l.option))
			origins = max(origins, utf8.RuneCountInString(l.origin))
		}
	}
	values := 0
	wrapped := make([][]string, len(b.lines))
	for i, l := range b.lines {
		wrapped[i] = wrap(l.value, max(width-options-origins-4, 24))
		for _, part := range wrapped[i] {
			values = max(values, utf8.RuneCountInString(part))
		}
	}
	for i, l := range b.lines {
		option := strings.Repeat(" ", l.indent) + l.option
		if l.value == "" {
			writeLine(out, fmt.Sprintf("%s  %s", option, l.origin))
		} else {
			writeLine(out, fmt.Sprintf("%-*s  %-*s  %s", options, option, values, wrapped[i][0], l.origin))
		}
		for _, more := range wrapped[i][1:] {
			writeLine(out, fmt.Sprintf("%-*s  %s", options, "", more))
		}
		if l.below != "" {
			for _, part := range wrap(l.below, width-l.indent-4) {
				writeLine(out, strings.Repeat(" ", l.indent+4)+part)
			}
		}
	}
}

func writeLine(out *strings.Builder, text string) {
	out.WriteString(strings.TrimRight(text, " ") + "\n")
}

// origin says in a word where a value comes from. What is known of options goes
// without saying.
func origin(s Setting, known string) string {
	if s.Derived != "" {
		return "by " + strings.TrimPrefix(s.Derived, known)
	}
	return cmp.Or(s.From, "default")
}

// wrap breaks a text between words, and after commas inside them.
func wrap(text string, width int) []string {
	var all []string
	for paragraph := range strings.SplitSeq(text, "\n") {
		all = append(all, wrapLine(paragraph, width)...)
	}
	return all
}

func wrapLine(text string, width int) []string {
	lines := []string{""}
	for _, part := range strings.SplitAfter(strings.ReplaceAll(text, ",", ",\x00"), " ") {
		for piece := range strings.SplitSeq(part, "\x00") {
			last := &lines[len(lines)-1]
			if *last != "" && utf8.RuneCountInString(*last)+utf8.RuneCountInString(strings.TrimRight(piece, " ")) > width {
				*last = strings.TrimRight(*last, " ")
				lines = append(lines, piece)
				continue
			}
			*last += piece
		}
	}
	return lines
}

// OnlySet returns the groups with what the contract itself sets.
func OnlySet(groups []Group) []Group {
	set := []Group{}
	for _, g := range groups {
		g.Settings = slices.DeleteFunc(slices.Clone(g.Settings), func(s Setting) bool { return s.From == "" })
		if len(g.Settings) > 0 {
			set = append(set, g)
		}
	}
	return set
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
