package flood

import (
	"bytes"
	"slices"
	"testing"

	"golang.org/x/net/http2"
)

// written is what write does to an HTTP/2 connection.
func written(write func(*http2.Framer)) []byte {
	var b bytes.Buffer
	write(http2.NewFramer(&b, nil))
	return b.Bytes()
}

// some is one of each kind of frame that matters, and others around them.
var some = written(func(f *http2.Framer) {
	_ = f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
	_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: make([]byte, 300), PadLength: 200})
	_ = f.WriteContinuation(1, true, make([]byte, 20))
	_ = f.WriteDataPadded(1, true, []byte{0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 8}, make([]byte, 9)) // looks like a frame
	_ = f.WriteRSTStream(1, http2.ErrCodeCancel)
	_ = f.WritePing(true, [8]byte{1})
	_ = f.WriteData(3, false, make([]byte, 70_000))
	_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1<<31 - 1, EndHeaders: true, EndStream: true})
	_ = f.WriteRSTStream(1<<31-1, http2.ErrCodeNo)
	_ = f.WriteRawFrame(http2.FrameRSTStream, 0, 5, []byte("longer than a code"))
	_ = f.WriteRawFrame(http2.FrameRSTStream, 0, 1<<31|7, nil) // the highest bit says nothing
	_ = f.WriteGoAway(7, http2.ErrCodeEnhanceYourCalm, []byte("bye"))
})

var wantSome = []frame{
	{kind: 0x4},
	{kind: kindHeaders, flags: 0x8, stream: 1},
	{kind: 0x9, flags: 0x4, stream: 1},
	{kind: 0x0, flags: 0x9, stream: 1},
	{kind: kindReset, stream: 1, code: codeCancel},
	{kind: 0x6, flags: 0x1},
	{kind: 0x0, stream: 3},
	{kind: kindHeaders, flags: 0x5, stream: 1<<31 - 1},
	{kind: kindReset, stream: 1<<31 - 1},
	{kind: kindReset, stream: 5},
	{kind: kindReset, stream: 7},
	{kind: 0x7},
}

// walk appends the frames that f finds in p.
func walk(f *frames, to []frame, p []byte) []frame {
	for found, rest, ok := f.next(p); ok; found, rest, ok = f.next(rest) {
		to = append(to, found)
	}
	return to
}

func TestFrames(t *testing.T) {
	if got := walk(new(frames), nil, some); !slices.Equal(got, wantSome) {
		t.Errorf("got %+v\nwant %+v", got, wantSome)
	}
}

// The same frames are found wherever the bytes are split, the preface included.
func TestFramesSplit(t *testing.T) {
	all := append([]byte(http2.ClientPreface), some...)
	for at := range all {
		f := &frames{skip: prefaceBytes}
		if got := walk(f, walk(f, nil, all[:at]), all[at:]); !slices.Equal(got, wantSome) {
			t.Fatalf("split at %d: got %+v\nwant %+v", at, got, wantSome)
		}
	}
	f, got := &frames{skip: prefaceBytes}, []frame(nil)
	for i := range all {
		got = walk(f, got, all[i:i+1])
	}
	if !slices.Equal(got, wantSome) {
		t.Errorf("byte by byte: got %+v\nwant %+v", got, wantSome)
	}
}

func TestFramesAllocateNothing(t *testing.T) {
	c, now := watch(nil), youth
	c.in.skip = 0 // the preface is gone
	if n := testing.AllocsPerRun(100, func() {
		_, _ = c.received(some, now), c.sent(some)
		c.debt.add(answered, now)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Whatever comes, however it is split, is no panic, and the same frames.
func FuzzFrames(f *testing.F) {
	f.Add(some, uint8(1))
	f.Add(some[:20], uint8(13))
	f.Add([]byte("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"), uint8(5))
	f.Fuzz(func(t *testing.T, p []byte, size uint8) {
		want := walk(new(frames), nil, p)
		split, got := new(frames), []frame(nil)
		for part := range slices.Chunk(p, int(size)+1) {
			got = walk(split, got, part)
		}
		if !slices.Equal(got, want) {
			t.Errorf("in parts of %d: got %+v\nwant %+v", int(size)+1, got, want)
		}
	})
}

func BenchmarkFrames(b *testing.B) {
	f := new(frames)
	b.ReportAllocs()
	b.SetBytes(int64(len(some)))
	for b.Loop() {
		p := some
		for _, rest, ok := f.next(p); ok; _, rest, ok = f.next(rest) {
		}
	}
}
