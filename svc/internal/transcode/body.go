package transcode

import (
	"bytes"
	"io"
	"strings"
)

// piece is how much of a body has room before any of it has come.
const piece = 64 << 10

// Body is what a client sent, read by [Plan.Read]. The zero value is an empty one.
type Body struct {
	ContentType string

	data  []byte // a prefix, what was sent, and room for a byte
	start int
}

func (b Body) sent() []byte { return b.data[b.start:] }

// IsJSON reports whether the body may be JSON, by how it begins. An empty one may.
func (b Body) IsJSON() bool {
	text := bytes.TrimLeft(b.sent(), " \t\r\n")
	if len(text) == 0 || strings.IndexByte(`{["-0123456789`, text[0]) >= 0 {
		return true
	}
	word := string(bytes.TrimRight(text, " \t\r\n"))
	return word == "true" || word == "false" || word == "null"
}

// Read reads a body to its end. The length is what the client said; negative: it did not.
//
// A client holds memory by what it has sent, not by what it has promised: once, and 64 KiB.
// At half of the length the buffer for all of it is made. Without a length there are two
// copies for a moment at the end.
func (p *Plan) Read(r io.Reader, length int64, contentType string) (Body, error) {
	if !p.body.whole && p.body.field == nil {
		_, err := io.Copy(io.Discard, r)
		return Body{}, err
	}
	prefix := p.body.prefix
	data, err := collect(r, prefix, length)
	return Body{ContentType: contentType, data: data, start: len(prefix)}, err
}

// collect returns the prefix and what it reads, with room for a byte.
func collect(r io.Reader, prefix string, length int64) ([]byte, error) {
	whole, size := int64(-1), piece
	if length >= 0 {
		whole = int64(len(prefix)) + length
		size = int(min(piece, length))
	}
	buf := append(make([]byte, 0, len(prefix)+size+1), prefix...)
	var full [][]byte
	total := int64(0)
	for {
		if len(buf) == cap(buf) {
			total += int64(len(buf))
			full = append(full, buf)
			buf = nil
			if total < whole && whole <= 2*total {
				buf = join(full, whole+1)
				full, total = nil, 0
			} else {
				buf = make([]byte, 0, piece)
			}
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case err == io.EOF:
			return end(full, buf, total), nil
		case err != nil:
			return nil, err
		}
	}
}

func end(full [][]byte, last []byte, total int64) []byte {
	if full == nil && len(last) < cap(last) {
		return last
	}
	return join(append(full, last), total+int64(len(last))+1)
}

// join copies pieces into one buffer of the size.
func join(pieces [][]byte, size int64) []byte {
	out := make([]byte, 0, size)
	for i, p := range pieces {
		out = append(out, p...)
		pieces[i] = nil
	}
	return out
}
