package flood

import "encoding/binary"

// The parts of HTTP/2 that matter here (RFC 9113, sections 3.4, 4.1, 6 and 7).
const (
	prefaceBytes = 24 // what a client says before its first frame
	headerBytes  = 9
	codeBytes    = 4 // the payload of RST_STREAM

	kindHeaders = 0x1
	kindReset   = 0x3

	flagEndStream = 0x1

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
}

// next returns the next frame whose header is complete in p, and the bytes after
// that header. Give it the rest until there is none.
func (f *frames) next(p []byte) (found frame, rest []byte, ok bool) {
	skipped := min(f.skip, len(p))
	f.skip -= skipped
	p = f.fill(p[skipped:], headerBytes)
	if f.have < headerBytes {
		return frame{}, nil, false
	}
	length := int(f.head[0])<<16 | int(f.head[1])<<8 | int(f.head[2])
	found = frame{kind: f.head[3], flags: f.head[4], stream: binary.BigEndian.Uint32(f.head[5:]) &^ (1 << 31)}
	if found.kind == kindReset && length == codeBytes {
		if p = f.fill(p, len(f.head)); f.have < len(f.head) {
			return frame{}, nil, false
		}
		length, found.code = 0, binary.BigEndian.Uint32(f.head[headerBytes:])
	}
	f.skip, f.have = length, 0
	return found, p, true
}

// fill takes bytes of the head up to a number of them, and returns the others.
func (f *frames) fill(p []byte, upTo int) []byte {
	if f.have < upTo {
		n := copy(f.head[f.have:upTo], p)
		f.have, p = f.have+n, p[n:]
	}
	return p
}
