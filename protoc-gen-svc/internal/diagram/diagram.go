// Package diagram lays out a graph of calls: callers on the left, whom they call to the
// right of them.
//
// Nodes stand in columns, by the longest way that leads to them. An edge that passes
// columns goes through gaps between their nodes; all edges of one kind to one node share
// them, so that what comes from far joins on its way. The same graph always looks the
// same, and the work grows with what is drawn.
package diagram

import (
	"cmp"
	"slices"
)

// Graph is what to lay out. Nodes are numbers from 0, in the order in which they stand
// where nothing else decides.
type Graph struct {
	// Widths are how wide each node is.
	Widths []int
	Edges  []Edge
}

// Edge leads from one node to another.
type Edge struct {
	From, To int
	// Dashed edges share nothing with others.
	Dashed bool
}

// Layout is where everything is. All coordinates are positive, from the upper left.
type Layout struct {
	Width, Height int
	// Boxes are the nodes, in their order.
	Boxes []Box
	Lines []Line
}

// Box is a node.
type Box struct{ X, Y, Width, Height int }

// Line is a piece of an edge, from left to right unless the graph has a cycle. It
// touches at both ends a box, or a line with the same Edge.To.
type Line struct {
	// Edge is the edge; that of a piece which edges share is the first of them, and
	// Shared is true.
	Edge   Edge
	Shared bool
	// Arrow says that the line ends at the box.
	Arrow          bool
	X1, Y1, X2, Y2 int
}

// Measures, in pixels.
const (
	boxHeight  = 26
	boxGap     = 12 // between boxes of a column, and above and below edges that pass it
	laneHeight = 10 // what an edge takes that passes a column
	margin     = 8
	leastGap   = 72 // between columns
	mostGap    = 200
)

// Of lays out a graph.
func Of(g Graph) Layout {
	d := newDrawing(g)
	for range sweeps {
		d.sweep(1, d.before)
		d.sweep(-1, d.after)
	}
	return d.layout()
}

// sweeps is how often each column is put into the order of its neighbours, there and
// back. More make little difference.
const sweeps = 3

// drawing is a graph in columns.
type drawing struct {
	graph   Graph
	columns [][]*stop
	pieces  []piece
	// before and after are the stops that pieces join with each stop.
	before, after map[*stop][]*stop
}

// stop is a place in a column: of a node, or of the edges that pass to one.
type stop struct {
	node   int
	passes bool
	column int
	place  int // in the column
	x, y   int // of the middle of the left side
}

// piece is an edge, or a part of it, from one stop to another.
type piece struct {
	from, to *stop
	edge     Edge
	shared   bool
}

func newDrawing(g Graph) *drawing {
	d := &drawing{graph: g, before: map[*stop][]*stop{}, after: map[*stop][]*stop{}}
	layers := layers(len(g.Widths), g.Edges)
	stops := make([]*stop, len(g.Widths))
	for node, column := range layers {
		stops[node] = d.add(&stop{node: node, column: column})
	}
	lanes := map[lane]*stop{}
	for _, e := range g.Edges {
		d.route(e, stops, lanes)
	}
	return d
}

// lane is where edges of a kind pass a column on their way to a node.
type lane struct {
	to, column int
	dashed     bool
}

// route leads an edge through the lanes of its target, up to one that leads there already.
func (d *drawing) route(e Edge, stops []*stop, lanes map[lane]*stop) {
	at := stops[e.From]
	for column := at.column + 1; column < stops[e.To].column; column++ {
		key := lane{e.To, column, e.Dashed}
		next, joined := lanes[key]
		if !joined {
			next = d.add(&stop{node: e.To, passes: true, column: column})
			lanes[key] = next
		}
		d.join(at, next, e)
		if joined {
			return
		}
		at = next
	}
	d.join(at, stops[e.To], e)
}

func (d *drawing) add(s *stop) *stop {
	for len(d.columns) <= s.column {
		d.columns = append(d.columns, nil)
	}
	s.place = len(d.columns[s.column])
	d.columns[s.column] = append(d.columns[s.column], s)
	return s
}

func (d *drawing) join(from, to *stop, e Edge) {
	d.pieces = append(d.pieces, piece{from, to, e, from.passes})
	d.after[from] = append(d.after[from], to)
	d.before[to] = append(d.before[to], from)
}

// layers returns the column of each node: the length of the longest way to it. Where
// cycles leave no node whose callers all have one, the first of the rest is next, and
// what leads back to it does not count.
func layers(nodes int, edges []Edge) []int {
	next, waiting := make([][]int, nodes), make([]int, nodes)
	for _, e := range edges {
		if e.From != e.To {
			next[e.From] = append(next[e.From], e.To)
			waiting[e.To]++
		}
	}
	layer, done := make([]int, nodes), make([]bool, nodes)
	var ready []int
	for node := range nodes {
		if waiting[node] == 0 {
			ready = append(ready, node)
		}
	}
	first := 0 // before it, all are done
	for finished := 0; finished < nodes; finished++ {
		if len(ready) == 0 {
			for done[first] {
				first++
			}
			ready = append(ready, first)
		}
		node := ready[0]
		ready, done[node] = ready[1:], true
		for _, to := range next[node] {
			if done[to] {
				continue
			}
			layer[to] = max(layer[to], layer[node]+1)
			if waiting[to]--; waiting[to] == 0 {
				ready = append(ready, to)
			}
		}
	}
	return layer
}

// sweep puts the columns, one after the other, into the order of what their stops are
// joined with on one side.
func (d *drawing) sweep(step int, beside map[*stop][]*stop) {
	for i := range d.columns {
		column := d.columns[i]
		if step < 0 {
			column = d.columns[len(d.columns)-1-i]
		}
		wanted := make(map[*stop]float64, len(column))
		for _, s := range column {
			wanted[s] = mean(beside[s], d.columns, s)
		}
		slices.SortStableFunc(column, func(a, b *stop) int { return cmp.Compare(wanted[a], wanted[b]) })
		for place, s := range column {
			s.place = place
		}
	}
}

// mean is how far down the neighbours of a stop are, as a part of their columns; where
// there are none, the stop is where it should be.
func mean(neighbours []*stop, columns [][]*stop, own *stop) float64 {
	if len(neighbours) == 0 {
		neighbours = []*stop{own}
	}
	sum := 0.0
	for _, s := range neighbours {
		sum += (float64(s.place) + 0.5) / float64(len(columns[s.column]))
	}
	return sum / float64(len(neighbours))
}

// layout turns places into coordinates.
func (d *drawing) layout() Layout {
	l := Layout{Boxes: make([]Box, len(d.graph.Widths))}
	for _, column := range d.columns {
		l.Height = max(l.Height, height(column)+2*margin)
	}
	x := margin
	gaps := d.gaps()
	widths := make([]int, len(d.columns))
	for i, column := range d.columns {
		y := (l.Height - height(column)) / 2
		for place, s := range column {
			height := s.height()
			s.x, s.y = x, y+height/2
			if !s.passes {
				width := d.graph.Widths[s.node]
				l.Boxes[s.node] = Box{x, y, width, height}
				widths[i] = max(widths[i], width)
			}
			y += height + gapBelow(column, place)
		}
		l.Width = x + widths[i] + margin
		x += widths[i] + gaps[i]
	}
	for _, p := range d.pieces {
		l.Lines = append(l.Lines, d.lines(p, widths)...)
	}
	return l
}

func (s *stop) height() int {
	if s.passes {
		return laneHeight
	}
	return boxHeight
}

func height(column []*stop) int {
	total := 0
	for place, s := range column {
		total += s.height() + gapBelow(column, place)
	}
	return total
}

// gapBelow is how far a stop of a column is from the next one. Edges that pass lie close
// together.
func gapBelow(column []*stop, place int) int {
	if place == len(column)-1 || column[place].passes && column[place+1].passes {
		return 0
	}
	return boxGap
}

// gaps are how far each column is from the next one: further where more lines cross.
func (d *drawing) gaps() []int {
	gaps := make([]int, len(d.columns))
	for _, p := range d.pieces {
		gaps[p.from.column]++
	}
	for i, lines := range gaps {
		gaps[i] = min(leastGap+lines, mostGap)
	}
	return gaps
}

// lines are those of a piece: what ends at a lane goes straight through it.
func (d *drawing) lines(p piece, widths []int) []Line {
	from := p.from.x + widths[p.from.column]
	if !p.from.passes {
		from = p.from.x + d.graph.Widths[p.from.node]
	}
	line := Line{Edge: p.edge, Shared: p.shared, Arrow: !p.to.passes, X1: from, Y1: p.from.y, X2: p.to.x, Y2: p.to.y}
	if !p.from.passes {
		return []Line{line}
	}
	through := Line{Edge: p.edge, Shared: true, X1: p.from.x, Y1: p.from.y, X2: from, Y2: p.from.y}
	return []Line{through, line}
}
