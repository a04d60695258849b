package diagram

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
)

// graph has a node of 50 pixels for each that an edge names.
func graph(edges ...Edge) Graph {
	g := Graph{Edges: edges}
	for _, e := range edges {
		for len(g.Widths) <= max(e.From, e.To) {
			g.Widths = append(g.Widths, 50)
		}
	}
	return g
}

func edge(from, to int) Edge { return Edge{From: from, To: to} }

func TestLayers(t *testing.T) {
	tests := []struct {
		name  string
		nodes int
		edges []Edge
		want  []int
	}{
		{"nothing", 0, nil, []int{}},
		{"alone", 2, nil, []int{0, 0}},
		{"a chain, the last first", 3, []Edge{edge(1, 0), edge(2, 1)}, []int{2, 1, 0}},
		{"the longest way counts", 4, []Edge{edge(0, 3), edge(0, 1), edge(1, 2), edge(2, 3)}, []int{0, 1, 2, 3}},
		{"a diamond", 4, []Edge{edge(0, 1), edge(0, 2), edge(1, 3), edge(2, 3)}, []int{0, 1, 1, 2}},
		{"the same edge twice", 2, []Edge{edge(0, 1), edge(0, 1)}, []int{0, 1}},
		{"itself", 2, []Edge{edge(0, 0), edge(0, 1)}, []int{0, 1}},
		{"a cycle begins with its first", 3, []Edge{edge(0, 1), edge(1, 2), edge(2, 0)}, []int{0, 1, 2}},
		{"the first of what a cycle holds up", 4, []Edge{edge(3, 1), edge(1, 2), edge(2, 1), edge(2, 0)}, []int{0, 1, 2, 0}},
		{"what a cycle calls stays behind its other callers", 6, []Edge{edge(1, 2), edge(2, 3), edge(3, 4), edge(0, 4), edge(0, 5), edge(5, 0)}, []int{0, 0, 1, 2, 3, 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := layers(test.nodes, test.edges); !slices.Equal(got, test.want) {
				t.Errorf("layers are %v, want %v", got, test.want)
			}
		})
	}
}

// TestLayout: every coordinate of a small graph.
func TestLayout(t *testing.T) {
	got := Of(graph(edge(0, 1), Edge{From: 0, To: 2, Dashed: true}))
	want := Layout{
		Width:  8 + 50 + 74 + 50 + 8,
		Height: 8 + 26 + 12 + 26 + 8,
		Boxes:  []Box{{8, 27, 50, 26}, {132, 8, 50, 26}, {132, 46, 50, 26}},
		Lines: []Line{
			{Edge: edge(0, 1), Arrow: true, X1: 58, Y1: 40, X2: 132, Y2: 21},
			{Edge: Edge{From: 0, To: 2, Dashed: true}, Arrow: true, X1: 58, Y1: 40, X2: 132, Y2: 59},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("layout is\n%+v, want\n%+v", got, want)
	}
}

// TestLanes: edges that pass a column share the way to their node with those of their
// kind, and no line crosses a box.
func TestLanes(t *testing.T) {
	// 0 and 1 call 4 past 2, which calls 3, which calls 4.
	got := Of(graph(edge(0, 2), edge(1, 2), edge(2, 3), edge(3, 4), edge(0, 4), edge(1, 4), Edge{From: 1, To: 4, Dashed: true}))
	var shared, dashed, arrows int
	for _, l := range got.Lines {
		if l.Edge.To != 4 {
			continue
		}
		if l.Shared {
			shared++
		}
		if l.Edge.Dashed {
			dashed++
		}
		if l.Arrow {
			arrows++
		}
	}
	// From the second column on: through it, to the third, through that, to the box.
	if shared != 2*4 || dashed != 1+4 || arrows != 3 {
		t.Errorf("%d pieces are shared, %d dashed, %d end at the box; want 8, 5, 3:\n%+v", shared, dashed, arrows, got.Lines)
	}
	crossFree(t, got)
}

// crossFree wants boxes apart from each other, and every level line apart from boxes but
// for its ends.
func crossFree(t *testing.T, l Layout) {
	t.Helper()
	for i, a := range l.Boxes {
		if a.X < 0 || a.Y < 0 || a.X+a.Width > l.Width || a.Y+a.Height > l.Height {
			t.Errorf("box %d is outside: %+v", i, a)
		}
		for j, b := range l.Boxes[:i] {
			if a.X < b.X+b.Width && b.X < a.X+a.Width && a.Y < b.Y+b.Height && b.Y < a.Y+a.Height {
				t.Errorf("boxes %d and %d meet: %+v, %+v", j, i, b, a)
			}
		}
	}
	for _, line := range l.Lines {
		if line.X2 < line.X1 {
			t.Errorf("line leads back: %+v", line)
		}
		for _, b := range l.Boxes {
			if line.Y1 == line.Y2 && line.Y1 > b.Y && line.Y1 < b.Y+b.Height && line.X1 < b.X+b.Width && line.X2 > b.X {
				t.Errorf("line %+v crosses box %+v", line, b)
			}
		}
	}
}

// TestOrder: columns are ordered so that lines that need not cross do not.
func TestOrder(t *testing.T) {
	// The callees stand the other way round in the contract.
	l := Of(graph(edge(0, 5), edge(1, 4), edge(2, 3)))
	if !(l.Boxes[5].Y < l.Boxes[4].Y && l.Boxes[4].Y < l.Boxes[3].Y) {
		t.Errorf("callees are not beside their callers: %+v", l.Boxes)
	}
}

// TestLarge: a large graph, with cycles in it, is laid out, and every time alike.
func TestLarge(t *testing.T) {
	var edges []Edge
	for i := range 150 {
		for k := range 8 {
			edges = append(edges, Edge{From: i, To: (i*i + 37*k + 1) % 150, Dashed: k == 0})
		}
	}
	g := graph(edges...)
	first := Of(g)
	if len(first.Boxes) != 150 {
		t.Fatalf("%d boxes", len(first.Boxes))
	}
	for range 5 {
		if again := Of(g); !reflect.DeepEqual(first, again) {
			t.Fatal("the same graph looks different")
		}
	}
}

// TestAcyclic: without cycles, all lines lead to the right and none crosses a box.
func TestAcyclic(t *testing.T) {
	for _, step := range []int{1, 2, 7, 20} {
		t.Run(fmt.Sprint(step), func(t *testing.T) {
			var edges []Edge
			for i := range 40 {
				for _, to := range []int{i + step, i + 2*step + 1, i + 3*step} {
					if to < 40 {
						edges = append(edges, edge(i, to))
					}
				}
			}
			crossFree(t, Of(graph(edges...)))
		})
	}
}
