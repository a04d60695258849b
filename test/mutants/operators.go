package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/big"
	"slices"
	"strings"
)

// mutation is one change of a Go file.
type mutation struct {
	file string // below the project's folder, with slashes
	line int
	// the bytes that the text takes the place of
	from, to int
	text     string
	// what is said about it, in Markdown
	what string
}

func (m mutation) String() string { return fmt.Sprintf("%s:%d: %s", m.file, m.line, m.what) }

// apply returns the source with the change.
func (m mutation) apply(source string) string { return source[:m.from] + m.text + source[m.to:] }

// operators are the rules by which a node of a file is changed. Parents come
// before their children.
var operators = []func(*finder, ast.Node){
	negate,
	swap,
	raiseDuration,
	raise,
	flip,
	removeCall,
	swallow,
	removeDefer,
}

// finder collects the mutations of one file.
type finder struct {
	file   string
	source string
	set    *token.FileSet
	found  []mutation
	// taken are expressions that were changed with their parents
	taken map[ast.Expr]bool
}

// mutations returns every change of a file, by position.
func mutations(file, source string) ([]mutation, error) {
	f := &finder{file: file, source: source, set: token.NewFileSet(), taken: map[ast.Expr]bool{}}
	parsed, err := parser.ParseFile(f.set, file, source, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return nil, err
	}
	if ast.IsGenerated(parsed) {
		return nil, nil
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		for _, operator := range operators {
			operator(f, n)
		}
		return true
	})
	slices.SortStableFunc(f.found, func(a, b mutation) int { return cmp.Compare(a.from, b.from) })
	return f.found, nil
}

// change notes that the text takes the place of what is between two positions.
func (f *finder) change(from, to token.Pos, text, what string, args ...any) {
	f.found = append(f.found, mutation{
		file: f.file,
		line: f.set.Position(from).Line,
		from: f.set.Position(from).Offset,
		to:   f.set.Position(to).Offset,
		text: text,
		what: fmt.Sprintf(what, args...),
	})
}

// text is the node's source.
func (f *finder) text(n ast.Node) string {
	return f.source[f.set.Position(n.Pos()).Offset:f.set.Position(n.End()).Offset]
}

// quote is the node's source as the report shows it: one line that is not too long.
func (f *finder) quote(n ast.Node) string {
	const most = 70
	text := []rune(strings.ReplaceAll(strings.Join(strings.Fields(f.text(n)), " "), "`", "'"))
	if len(text) > most {
		text = append(text[:most], '…')
	}
	return "`" + string(text) + "`"
}

// negate turns the condition of an if or a for around. Comparisons for equality
// are left to swap, which does the same to them.
func negate(f *finder, n ast.Node) {
	var condition ast.Expr
	switch n := n.(type) {
	case *ast.IfStmt:
		condition = n.Cond
	case *ast.ForStmt:
		condition = n.Cond
	}
	if condition == nil {
		return
	}
	if b, ok := condition.(*ast.BinaryExpr); ok && (b.Op == token.EQL || b.Op == token.NEQ) {
		return
	}
	f.change(condition.Pos(), condition.End(), "!("+f.text(condition)+")", "negated %s", f.quote(condition))
}

// swaps are the operators that take each other's place.
var swaps = map[token.Token]token.Token{
	token.LSS: token.LEQ, token.LEQ: token.LSS,
	token.GTR: token.GEQ, token.GEQ: token.GTR,
	token.EQL: token.NEQ, token.NEQ: token.EQL,
	token.LAND: token.LOR, token.LOR: token.LAND,
	token.ADD: token.SUB, token.SUB: token.ADD,
}

func swap(f *finder, n ast.Node) {
	b, ok := n.(*ast.BinaryExpr)
	if !ok || swaps[b.Op] == token.ILLEGAL || b.Op == token.ADD && isText(b) {
		return
	}
	to := swaps[b.Op].String()
	f.change(b.OpPos, b.OpPos+token.Pos(len(b.Op.String())), to, "`%s` for `%s` in %s", to, b.Op, f.quote(b))
}

// isText reports whether strings are added, as far as literals tell: they cannot be
// subtracted.
func isText(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Kind == token.STRING
	case *ast.BinaryExpr:
		return isText(e.X) || isText(e.Y)
	}
	return false
}

// units are the constants of package time.
var units = []string{"Nanosecond", "Microsecond", "Millisecond", "Second", "Minute", "Hour"}

func isUnit(e ast.Expr) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok || !slices.Contains(units, s.Sel.Name) {
		return false
	}
	pkg, ok := s.X.(*ast.Ident)
	return ok && pkg.Name == "time"
}

// raiseDuration makes a duration ten times as long: one more of a unit is nothing
// that a test should have to notice.
func raiseDuration(f *finder, n ast.Node) {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		f.raiseProduct(n)
	case *ast.SelectorExpr:
		if isUnit(n) && !f.taken[n] {
			f.change(n.Pos(), n.End(), "(10 * "+f.text(n)+")", "ten times %s", f.quote(n))
		}
	}
}

// raiseProduct does so where a unit is a factor or a divisor.
func (f *finder) raiseProduct(b *ast.BinaryExpr) {
	if b.Op != token.MUL && b.Op != token.QUO {
		return
	}
	for _, sides := range [][2]ast.Expr{{b.X, b.Y}, {b.Y, b.X}} {
		unit, number := sides[0], sides[1]
		if !isUnit(unit) {
			continue
		}
		f.taken[unit] = true
		if value, ok := integer(number); ok && b.Op == token.MUL {
			f.taken[number] = true
			f.change(number.Pos(), number.End(), value.Mul(value, big.NewInt(10)).String(), "ten times %s", f.quote(b))
		}
	}
}

// raise adds one to an integer.
func raise(f *finder, n ast.Node) {
	e, ok := n.(ast.Expr)
	if !ok || f.taken[e] {
		return
	}
	if value, ok := integer(e); ok {
		more := value.Add(value, big.NewInt(1)).String()
		f.change(e.Pos(), e.End(), more, "`%s` for %s", more, f.quote(e))
	}
}

func integer(e ast.Expr) (*big.Int, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.INT {
		return nil, false
	}
	return new(big.Int).SetString(l.Value, 0)
}

// flips are the words that take each other's place.
var flips = map[string]string{"true": "false", "false": "true"}

func flip(f *finder, n ast.Node) {
	if id, ok := n.(*ast.Ident); ok && flips[id.Name] != "" {
		f.change(id.Pos(), id.End(), flips[id.Name], "`%s` for `%s`", flips[id.Name], id.Name)
	}
}

// removeCall removes a statement that is a call. Without a panic there would be
// a return missing, or something worse goes on.
func removeCall(f *finder, n ast.Node) {
	s, ok := n.(*ast.ExprStmt)
	if !ok {
		return
	}
	call, ok := s.X.(*ast.CallExpr)
	if !ok {
		return
	}
	if id, ok := call.Fun.(*ast.Ident); ok && id.Name == "panic" {
		return
	}
	f.change(s.Pos(), s.End(), "", "without %s", f.quote(s))
}

// swallow returns nil for err, where err is the last or the only result.
func swallow(f *finder, n ast.Node) {
	r, ok := n.(*ast.ReturnStmt)
	if !ok || len(r.Results) == 0 {
		return
	}
	last := r.Results[len(r.Results)-1]
	if id, ok := last.(*ast.Ident); ok && id.Name == "err" {
		f.change(id.Pos(), id.End(), "nil", "`nil` for `err` in %s", f.quote(r))
	}
}

func removeDefer(f *finder, n ast.Node) {
	if d, ok := n.(*ast.DeferStmt); ok {
		f.change(d.Pos(), d.End(), "", "without %s", f.quote(d))
	}
}
