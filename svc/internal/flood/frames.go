package flood

import "encoding/binary"

// The parts of HTTP/2 that matter here (RFC 9113, sections 3.4, 4.1, 6 and 7).
const (
	prefaceBytes = 24 // what a client says before its first frame
	headerBytes  = 9
	codeBytes    = 4 // the payload of RST_STREAM

	kindData    = 0x0
	kindHeaders = 0x1
	kindReset   = 0x3

	flagEndStream = 0x1
	flagPadded    = 0x8 // one byte before the payload of DATA says how many follow it

	codeNone     = 0x0
	codeInternal = 0x2
	codeCancel   = 0x8
)

// frame is what the header of a frame says, and of RST_STREAM the code.
type frame struct {
	kind, flags  byte
	stream, code uint32
}

// frames finds the frames in one direction of an HTTP/2 connection, however its
// bytes are split. It keeps nothing of them but a header that is not complete.
type frames struct {
	skip int // bytes until the next header
	have int // bytes of head
	head [headerBytes + codeBytes]byte

	// data gets what DATA frames carry, piece by piece; nil: nobody wants it.
	data    func(stream uint32, piece []byte)
	stream  uint32
	content int // bytes of the first ones of skip that are for data
}

// next returns the next frame whose header is complete in p, and the bytes after
// that header. Give it the rest until there is none.
func (f *frames) next(p []byte) (found frame, rest []byte, ok bool) {
	p = f.fill(f.pass(p), headerBytes)
	if f.have < headerBytes {
		return frame{}, nil, false
	}
	length := int(f.head[0])<<16 | int(f.head[1])<<8 | int(f.head[2])
	found = frame{kind: f.head[3], flags: f.head[4], stream: binary.BigEndian.Uint32(f.head[5:]) &^ (1 << 31)}
	more := found.extra(length)
	if p = f.fill(p, headerBytes+more); f.have < headerBytes+more {
		return frame{}, nil, false
	}
	length -= more
	switch {
	case found.kind == kindReset && more > 0:
		found.code = binary.BigEndian.Uint32(f.head[headerBytes:])
	case found.kind == kindData && more > 0:
		f.content = max(0, length-int(f.head[headerBytes]))
	case found.kind == kindData:
		f.content = length
	}
	f.skip, f.have, f.stream = length, 0, found.stream
	return found, p, true
}

// extra is how many bytes of a payload of some length are read with the header.
func (f frame) extra(length int) int {
	switch {
	case f.kind == kindReset && length == codeBytes:
		return codeBytes
	case f.kind == kindData && f.flags&flagPadded != 0:
		return min(1, length)
	}
	return 0
}

// pass goes over the payload of the last frame, and returns the bytes after it.
func (f *frames) pass(p []byte) []byte {
	passed := min(f.skip, len(p))
	if piece := p[:min(f.content, passed)]; len(piece) > 0 {
		f.content -= len(piece)
		if f.data != nil {
			f.data(f.stream, piece)
		}
	}
	f.skip -= passed
	return p[passed:]
}

// fill takes bytes of the head up to a number of them, and returns the others.
func (f *frames) fill(p []byte, upTo int) []byte {
	if f.have < upTo {
		n := copy(f.head[f.have:upTo], p)
		f.have, p = f.have+n, p[n:]
	}
	return p
}
