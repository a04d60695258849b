package throttle

import (
	"sync"
	"testing"
)

func take(b *Bucket) (taken int) {
	for b.Take() {
		taken++
	}
	return taken
}

func TestBucket(t *testing.T) {
	var b Bucket
	b.Give() // a full bucket does not overflow
	if got := take(&b); got != 20 {
		t.Fatalf("took %d tokens of a full bucket, want 20", got)
	}
	for range 9 {
		b.Give()
	}
	if b.Take() {
		t.Fatal("nine calls gave back a token, want ten to be needed")
	}
	b.Give()
	if !b.Take() || b.Take() {
		t.Fatal("ten calls did not give back exactly one token")
	}
}

func TestBucketIsShared(t *testing.T) {
	var (
		b     Bucket
		group sync.WaitGroup
		taken [8]int
	)
	for i := range taken {
		group.Go(func() { taken[i] = take(&b) })
	}
	group.Wait()
	sum := 0
	for _, n := range taken {
		sum += n
	}
	if sum != capacity {
		t.Errorf("goroutines took %d tokens together, want %d", sum, capacity)
	}
}
