package model

import (
	"fmt"
	"unicode/utf8"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/diagram"
)

// Diagram is the call graph as a drawing, in pixels.
type Diagram struct {
	Width, Height int
	Boxes         []DiagramBox
	Lines         []DiagramLine
}

// manyLines is how many a drawing may have before one sees the boxes better where the
// lines are thin.
const manyLines = 1000

// Dense reports whether there are so many lines that one can follow them only one service
// at a time.
func (d *Diagram) Dense() bool { return len(d.Lines) > manyLines }

// DiagramBox is a service of the system, or an external one.
type DiagramBox struct {
	// Service is nil for an external service, External for one of the system.
	Service  *Service
	External *HTTPCallee
	// Label fits into the box.
	Label                                     string
	X, Y, Width, Height, Bottom, Left, Middle int
}

// DiagramLine is a call, or a piece of those that lead to one service.
type DiagramLine struct {
	// From is the full name of the caller, empty where calls of several services share
	// the line. To is that of the service called; of an external one, "external NAME".
	From, To string
	// Deferred says that the service is called through the outbox only.
	Deferred bool
	// Arrow says that the line ends at the box.
	Arrow bool
	// Path is what SVG calls so.
	Path string
}

// mostDrawn is how many services a drawing may have that one can still read.
const mostDrawn = 150

// Diagram is nil where nobody calls anybody, and where the services are too many.
func (s *System) Diagram() *Diagram {
	if !s.Drawable() {
		return nil
	}
	d := newSketch(s)
	if len(d.graph.Edges) == 0 {
		return nil
	}
	return d.drawing()
}

// Drawable reports whether the services are few enough for a drawing.
func (s *System) Drawable() bool { return len(s.Services) <= mostDrawn }

// Alone are the services that nobody calls and that call nobody.
func (s *System) Alone() []*Service {
	var out []*Service
	for _, one := range s.Services {
		if one.alone() {
			out = append(out, one)
		}
	}
	return out
}

func (s *Service) alone() bool {
	return len(s.Incoming)+len(s.Outgoing)+len(s.HTTPCallees) == 0
}

// sketch is a diagram before its layout.
type sketch struct {
	boxes []DiagramBox
	ids   []string // of the boxes
	graph diagram.Graph
}

func newSketch(s *System) *sketch {
	d := &sketch{}
	services, externals := map[*Service]int{}, map[HTTPCallee]int{}
	for _, one := range s.Services {
		if !one.alone() {
			services[one] = d.box(DiagramBox{Service: one, Label: one.Name}, one.FullName)
		}
	}
	for _, one := range s.Services {
		direct := one.callsDirectly()
		for _, e := range one.Outgoing {
			d.edge(services[one], services[e.To], !direct[e.To.FullName])
		}
		for _, c := range one.HTTPCallees {
			key := HTTPCallee{Name: c.Name, URL: c.URL} // one box for the same service under the same name
			if _, drawn := externals[key]; !drawn {
				externals[key] = d.box(DiagramBox{External: c, Label: c.Name}, "external "+c.Name)
			}
			d.edge(services[one], externals[key], false)
		}
	}
	return d
}

// callsDirectly are the full names of the services that are not only called through the
// outbox.
func (s *Service) callsDirectly() map[string]bool {
	direct := map[string]bool{}
	for _, m := range s.Methods {
		for _, c := range m.Calls {
			direct[c.Service] = true
		}
	}
	return direct
}

// The width of a label is known beforehand since its characters are all of one width,
// 0.6 of 12 pixels, and a bit more where a system has no such font but a wider one.
const (
	characterWidth = 7.5
	labelMargin    = 11
	iconWidth      = 16 // of the sign that a service has a database
	longestLabel   = 28
)

func (d *sketch) box(b DiagramBox, id string) int {
	b.Label = shorten(b.Label, longestLabel)
	width := int(float64(utf8.RuneCountInString(b.Label))*characterWidth) + 2*labelMargin
	if b.Service != nil && b.Service.Database != nil {
		width += iconWidth
	}
	d.boxes, d.ids = append(d.boxes, b), append(d.ids, id)
	d.graph.Widths = append(d.graph.Widths, width)
	return len(d.boxes) - 1
}

func (d *sketch) edge(from, to int, deferred bool) {
	d.graph.Edges = append(d.graph.Edges, diagram.Edge{From: from, To: to, Dashed: deferred})
}

func (d *sketch) drawing() *Diagram {
	layout := diagram.Of(d.graph)
	for i, b := range layout.Boxes {
		box := &d.boxes[i]
		box.X, box.Y, box.Width, box.Height = b.X, b.Y, b.Width, b.Height
		box.Bottom, box.Left, box.Middle = b.Y+b.Height, b.X+labelMargin, b.Y+b.Height/2
	}
	out := &Diagram{Width: layout.Width, Height: layout.Height, Boxes: d.boxes}
	for _, l := range layout.Lines {
		line := DiagramLine{From: d.ids[l.Edge.From], To: d.ids[l.Edge.To], Deferred: l.Edge.Dashed, Arrow: l.Arrow, Path: bent(l)}
		if l.Shared {
			line.From = ""
		}
		out.Lines = append(out.Lines, line)
	}
	return out
}

// around is by how much a line dips that leads back, so that it comes out below the box
// where it begins.
const around = 26

// bent is a line that leaves and arrives level. Services of one proto package may call
// each other; then one of the lines leads back.
func bent(l diagram.Line) string {
	switch {
	case l.X2 <= l.X1:
		return fmt.Sprintf("M%d %dC%d %d %d %d %d %d", l.X1, l.Y1, l.X1+around, l.Y1+around, l.X2-around, l.Y2+around, l.X2, l.Y2)
	case l.Y1 == l.Y2:
		return fmt.Sprintf("M%d %dH%d", l.X1, l.Y1, l.X2)
	}
	bend := (l.X2 - l.X1) / 2
	return fmt.Sprintf("M%d %dC%d %d %d %d %d %d", l.X1, l.Y1, l.X1+bend, l.Y1, l.X2-bend, l.Y2, l.X2, l.Y2)
}

// shorten keeps both ends of a long name, where names of one system differ.
func shorten(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	r := []rune(s)
	half := (most - 1) / 2
	return string(r[:half]) + "…" + string(r[len(r)-half:])
}
