package sync

import (
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// What sync says about a method: where it is, its name, and what to do.
var (
	wrong    = regexp.MustCompile(`(?m)^(\S+\.go):(\d+):(\d+): (\w+) has the signature .*, and shop\.v1\.ShopService wants func(.*)$`)
	orphan   = regexp.MustCompile(`(?m)^(\S+\.go):(\d+):(\d+): (\w+) looks like an RPC, .*$`)
	inTheWay = regexp.MustCompile(`(?m)^(\S+\.go):(\d+):(\d+): (\w+) is a field of .*$`)
)

func (l *life) actionable(notes string) bool {
	return wrong.MatchString(notes) || orphan.MatchString(notes) || inTheWay.MatchString(notes)
}

// obey does what the first line says; lines that follow may have other positions
// after that.
func (l *life) obey(notes string) {
	for _, do := range []struct {
		pattern *regexp.Regexp
		edit    func(f *userFile, at int, match []string) string
	}{{wrong, l.rewrite}, {orphan, l.remove}, {inTheWay, l.renameField}} {
		match := do.pattern.FindStringSubmatch(notes)
		if match == nil {
			continue
		}
		text, err := os.ReadFile(match[1])
		if err != nil {
			l.t.Fatal(err)
		}
		f := parseUser(l.t, match[1], string(text))
		line, _ := strconv.Atoi(match[2])
		column, _ := strconv.Atoi(match[3])
		at := f.offset(f.fset.File(f.ast.FileStart).LineStart(line)) + column - 1
		if !strings.HasPrefix(f.text[at:], match[4]) {
			l.t.Fatalf("%s:%s:%s is not where %s is", match[1], match[2], match[3], match[4])
		}
		save(l.t, f.name, do.edit(f, at, match))
		return
	}
}

// dropAlias removes an alias of a message that is gone, if there is one. No method
// has it any more, so it is the person's own business, and the compiler names it.
func (l *life) dropAlias(c *checked) bool {
	for _, e := range c.errors {
		position := e.Fset.Position(e.Pos)
		if !strings.HasPrefix(e.Msg, "undefined: ") || !strings.HasPrefix(position.Filename, handlerDir+"/") {
			continue
		}
		text, err := os.ReadFile(position.Filename)
		if err != nil {
			l.t.Fatal(err)
		}
		f := parseUser(l.t, position.Filename, string(text))
		for _, d := range f.ast.Decls {
			g, ok := d.(*ast.GenDecl)
			if ok && g.Tok == token.TYPE && f.fset.Position(g.Pos()).Line == position.Line && g.Specs[0].(*ast.TypeSpec).Assign.IsValid() {
				start, end := f.span(g)
				save(l.t, f.name, f.rewritten(replacement{start, end, ""}))
				return true
			}
		}
	}
	return false
}

// declared is the method whose name is at an offset.
func (l *life) declared(f *userFile, at int) *ast.FuncDecl {
	for _, d := range f.ast.Decls {
		if d, ok := d.(*ast.FuncDecl); ok && f.offset(d.Name.Pos()) == at {
			return d
		}
	}
	l.t.Fatalf("there is no method at offset %d of %s", at, f.name)
	return nil
}

var qualified = regexp.MustCompile(`\b(context|grpc|shopv1|emptypb)\.`)

// rewrite gives a method the signature that is wanted. Packages get names that
// nothing else has.
func (l *life) rewrite(f *userFile, at int, match []string) string {
	d := l.declared(f, at)
	signature := qualified.ReplaceAllString(match[5], "x$1.")
	return f.rewritten(replacement{f.offset(d.Type.Params.Pos()), f.offset(d.End()), signature + " {\n\tpanic(\"mended\")\n}"})
}

func (l *life) remove(f *userFile, at int, _ []string) string {
	start, end := f.span(l.declared(f, at))
	return f.rewritten(replacement{start, end, ""})
}

func (l *life) renameField(f *userFile, at int, match []string) string {
	return f.rewritten(replacement{at, at + len(match[4]), fmt.Sprintf("field%d", l.number())})
}
