package transcode_test

import (
	"bytes"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"google.golang.org/protobuf/types/known/typepb"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protosvc/protosvc/svc/internal/transcode"
)

// Bodies of all sizes around those of buffers arrive whole, whatever length they had.
func TestRead(t *testing.T) {
	m := message("Kinds")
	fd := m.Descriptor().Fields().ByName("string")
	p := plan(t, m, transcode.Rule{Body: "string"})
	readers := map[string]func(io.Reader) io.Reader{
		"whole": func(r io.Reader) io.Reader { return r }, "halves": iotest.HalfReader, "end with data": iotest.DataErrReader,
	}
	for name, reader := range readers {
		for _, size := range []int{2, 100, 65525, 65535, 65536, 65537, 65545, 65546, 65547, 131072, 131073, 131082, 131083, 200_000, 1 << 20} {
			data := []byte(`"` + strings.Repeat("x", size-2) + `"`)
			for _, length := range []int{size, -1, size - 1, 2 * size} {
				body, err := p.Read(reader(bytes.NewReader(data)), int64(length), "")
				if err == nil {
					proto.Reset(m)
					err = p.Request(m, nil, "", body)
				}
				if got := len(m.Get(fd).String()); err != nil || got != size-2 {
					t.Errorf("%s: %d bytes of %d: %d, %v", name, size, length, got, err)
				}
			}
		}
	}
}

// What a client promises costs little before it sends it.
func TestMemoryOfBodies(t *testing.T) {
	p := plan(t, &wrapperspb.StringValue{}, transcode.Rule{Body: "*"})
	tests := []struct {
		sent, length int64
		most         uint64
	}{
		{10, 4 << 20, 80 << 10},
		{10, 10, 4 << 10},
		{10, -1, 80 << 10},
		{60 << 10, 60 << 10, 70 << 10},
		{1 << 20, 4 << 20, 2<<20 + 160<<10}, // pieces, and one copy at the end of them
		{4 << 20, 4 << 20, 6<<20 + 160<<10}, // half in pieces, then all in one
		{4 << 20, -1, 8<<20 + 160<<10},
	}
	for _, test := range tests {
		got := allocated(func() {
			_, _ = p.Read(io.LimitReader(zeros{}, test.sent), test.length, "")
		})
		if got > test.most {
			t.Errorf("%d bytes of %d cost %d, want %d at the most", test.sent, test.length, got, test.most)
		}
	}
}

// allocated is how many bytes a function allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestAllocations(t *testing.T) {
	id := strings.Repeat("x", 36)
	tests := []struct {
		name  string
		rule  transcode.Rule
		query string
		most  float64
	}{
		{"path", transcode.Rule{Variables: []string{"name"}}, "", 2},
		{"path and query", transcode.Rule{Variables: []string{"name"}}, "number=10&json_name=abc", 9},
	}
	for _, test := range tests {
		p := plan(t, &typepb.Field{}, test.rule)
		m, captures := &typepb.Field{}, []string{id}
		got := testing.AllocsPerRun(100, func() {
			m.Reset()
			if err := p.Request(m, captures, test.query, transcode.Body{}); err != nil {
				t.Fatal(err)
			}
		})
		if got > test.most {
			t.Errorf("%s: %v allocations, want %v at the most", test.name, got, test.most)
		}
	}
}
