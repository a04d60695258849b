package gateway

import (
	"bytes"
	"compress/gzip"
	stderrors "errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"

	"google.golang.org/grpc/codes"

	"github.com/protosvc/protosvc/svc/internal/cut"
	"github.com/protosvc/protosvc/svc/internal/transcode"
)

// compressFrom is how many bytes an answer has that is worth compressing.
const compressFrom = 1 << 10

var writers = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // a level that there is
	return w
}}

// compressed returns the body of an answer in gzip, if its client takes that.
func (c *call) compressed(contentType string, data []byte) []byte {
	if len(data) < compressFrom || contentType != transcode.JSON {
		return data
	}
	header := c.w.Header()
	header.Add("Vary", "Accept-Encoding")
	if accepted(c.Header.Values("Accept-Encoding"))["gzip"] <= 0 {
		return data
	}
	header.Set("Content-Encoding", "gzip")
	out := bytes.NewBuffer(make([]byte, 0, len(data)/2))
	w := writers.Get().(*gzip.Writer)
	defer writers.Put(w)
	w.Reset(out)
	_, _ = w.Write(data) // a buffer takes it
	_ = w.Close()
	return out.Bytes()
}

// maxEncoding is how many bytes of a content encoding an answer shows.
const maxEncoding = 64

// checkContentEncoding refuses a body in an encoding that is unknown here.
func (c *call) checkContentEncoding() error {
	encoding := c.Header.Get("Content-Encoding")
	if c.isCompressed() || encoding == "" || strings.EqualFold(encoding, "identity") {
		return nil
	}
	c.w.Header().Set("Accept-Encoding", "gzip")
	return fixed(http.StatusUnsupportedMediaType, codes.InvalidArgument, "request body may be in gzip, not in %q", cut.Text(encoding, maxEncoding))
}

func (c *call) isCompressed() bool {
	return strings.EqualFold(c.Header.Get("Content-Encoding"), "gzip")
}

// content is the body of the request, and its length; negative: it is not known.
func (c *call) content() (io.Reader, int64, error) {
	limited, ok := c.Body.(*body)
	if !ok || !c.isCompressed() {
		return c.Body, c.ContentLength, nil
	}
	gz, err := gzip.NewReader(limited)
	return &inflating{limited, gz, limited.limit}, -1, err
}

// inflating is a body that was sent in gzip. It is bound to the limits of others by what
// it becomes.
type inflating struct {
	*body
	from io.Reader
	left int64
}

func (b *inflating) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	if b.left -= int64(n); b.left < 0 {
		b.tooLarge = true
		return 0, stderrors.New("too large")
	}
	if !b.hold(n) {
		return 0, os.ErrDeadlineExceeded
	}
	return n, err
}
