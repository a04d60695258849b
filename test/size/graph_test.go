package size_test

import (
	"bufio"
	"io"
	"strings"
	"testing"
)

// graph says why symbols are in a binary, as the linker tells with -dumpdep: one
// line "from -> to" for each symbol, when it is reached for the first time.
type graph struct {
	reason  map[string]string // by symbol: the one that it was reached from
	reflect string            // the first that calls methods by name, "" if none
}

// reflectMark is how the linker marks a function that looks methods up at run
// time: from then on it must keep all methods of all types.
const reflectMark = "<ReflectMethod>"

func readGraph(r io.Reader) (graph, error) {
	g := graph{reason: map[string]string{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		from, to, ok := strings.Cut(lines.Text(), " -> ")
		if !ok {
			continue
		}
		for _, symbol := range []string{from, to} {
			if g.reflect == "" && strings.Contains(symbol, reflectMark) {
				g.reflect = bare(symbol)
			}
		}
		if _, known := g.reason[bare(to)]; !known {
			g.reason[bare(to)] = bare(from)
		}
	}
	return g, lines.Err()
}

// bare is a symbol without the linker's marks.
func bare(symbol string) string {
	symbol, _, _ = strings.Cut(symbol, " <")
	return symbol
}

// reflectMethod returns a function that calls methods by name, and the chain of
// symbols that brought it in, one on each line.
func (g graph) reflectMethod() (method, chain string) {
	var symbols []string
	seen := map[string]bool{}
	for symbol := g.reflect; symbol != "" && !seen[symbol]; symbol = g.reason[symbol] {
		seen[symbol] = true
		symbols = append(symbols, "\t"+symbol)
	}
	return g.reflect, strings.Join(symbols, "\n")
}

func TestGraph(t *testing.T) {
	g, err := readGraph(strings.NewReader(`
# example.com/command
_rt0_amd64_linux -> main.main
main.main -> html/template.(*Template).Execute
html/template.(*Template).Execute -> text/template.(*state).evalField <ReflectMethod>
text/template.(*state).evalField <ReflectMethod> -> type:int <UsedInIface>
`))
	if err != nil {
		t.Fatal(err)
	}
	method, why := g.reflectMethod()
	want := "\ttext/template.(*state).evalField\n\thtml/template.(*Template).Execute\n\tmain.main\n\t_rt0_amd64_linux"
	if method != "text/template.(*state).evalField" || why != want {
		t.Errorf("got %q because of\n%s", method, why)
	}
}
