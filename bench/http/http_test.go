package main

import "testing"

// BenchmarkInProcess is for profiles of one side:
//
//	go test ./http -bench InProcess/protosvc/POST -cpuprofile cpu.out
func BenchmarkInProcess(b *testing.B) {
	ctx, cancel := serverContext()
	defer cancel()
	handler := &orders{}
	sides, err := sides(handler)
	if err != nil {
		b.Fatal(err)
	}
	calls, err := calls()
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range calls {
		handler.call = c
		exchanges, err := openAll(ctx, direct, handler, sides)
		if err != nil {
			b.Fatal(err)
		}
		for i, s := range sides {
			b.Run(s.name+"/"+c.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					_, _, _ = exchanges[i]() // it was verified
				}
			})
		}
	}
}
