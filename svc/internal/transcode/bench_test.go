package transcode_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/typepb"

	"github.com/protosvc/protosvc/svc/internal/transcode"
)

func BenchmarkRequest(b *testing.B) {
	id := strings.Repeat("x", 36)
	m := &typepb.Field{}
	for name, query := range map[string]string{"path": "", "query": "number=10&json_name=abc"} {
		b.Run(name, func(b *testing.B) {
			p := plan(b, m, transcode.Rule{Variables: []string{"name"}})
			b.ReportAllocs()
			for b.Loop() {
				m.Reset()
				if err := p.Request(m, []string{id}, query, transcode.Body{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBody(b *testing.B) {
	m := &typepb.Enum{}
	p := plan(b, m, transcode.Rule{Body: "*"})
	sent := `{"name":"0af76519-16cd-43dd-8448-eb211c80319c","enumvalue":[` + strings.Repeat(`{"name":"A-1","number":3},`, 9) + `{"name":"A-1","number":3}]}`
	b.ReportAllocs()
	for b.Loop() {
		body, err := p.Read(strings.NewReader(sent), int64(len(sent)), "")
		if err == nil {
			err = p.Request(m, nil, "", body)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
