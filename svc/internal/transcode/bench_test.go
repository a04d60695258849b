package transcode_test

import (
	"strings"
	"testing"

	orderv1 "github.com/protosvc/protosvc/generated/order/v1"
	"github.com/protosvc/protosvc/svc/internal/transcode"
)

func BenchmarkRequest(b *testing.B) {
	id := strings.Repeat("x", 36)
	m := &orderv1.ListOrdersRequest{}
	for name, query := range map[string]string{"path": "", "query": "page_size=10&page_token=abc"} {
		b.Run(name, func(b *testing.B) {
			p := plan(b, m, transcode.Rule{Variables: []string{"user_id"}})
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
	m := &orderv1.CreateOrderRequest{}
	p := plan(b, m, transcode.Rule{Body: "*"})
	sent := `{"requestId":"0af76519-16cd-43dd-8448-eb211c80319c","items":[` + strings.Repeat(`{"sku":"A-1","quantity":3},`, 9) + `{"sku":"A-1","quantity":3}]}`
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
