package gateway

import (
	"mime"
	"net/http"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/protosvc/protosvc/svc/internal/cut"
	"github.com/protosvc/protosvc/svc/internal/transcode"
)

// errUnreadable is for a body that breaks off, or whose encoding is wrong.
var errUnreadable = status.Error(codes.InvalidArgument, "request body cannot be read to its end")

// decode fills the message that a handler gets.
func (c *call) decode(m any) error {
	message, err := messageOf(m)
	if err != nil {
		return err
	}
	reader, length, err := c.content()
	if err != nil {
		return errUnreadable
	}
	body, err := c.plan.Read(reader, length, c.Header.Get("Content-Type"))
	if err != nil {
		return errUnreadable
	}
	if c.silent && !body.IsJSON() {
		return c.notJSON()
	}
	if err := c.plan.Request(message, c.captures, c.URL.RawQuery, body); err != nil {
		return err
	}
	return c.fillKey(message)
}

// maxContentType is how many bytes of a content type an answer shows.
const maxContentType = 64

// checkContentType refuses a body that says that it is no JSON, where JSON is wanted.
// One that does not say what it is, is tried. So is what claims to be a form and comes
// from no browser: programs such as curl say that of everything that they are not told
// the type of. From a browser it would be a page of anybody's that writes as its visitor,
// without having to ask first as for JSON.
func (c *call) checkContentType() error {
	contentType := c.Header.Get("Content-Type")
	if c.Body == http.NoBody || contentType == "" || contentType == transcode.JSON || !c.plan.TakesJSON() {
		return nil
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err == nil && (media == transcode.JSON || strings.HasSuffix(media, "+json")) {
		return nil
	}
	if media == "application/x-www-form-urlencoded" && c.Header.Get("Origin") == "" && c.Header.Get("Sec-Fetch-Site") == "" {
		c.silent = true
		return nil
	}
	return c.notJSON()
}

func (c *call) notJSON() error {
	return fixed(http.StatusUnsupportedMediaType, codes.InvalidArgument, "request body must be %s, not %q", transcode.JSON, cut.Text(c.Header.Get("Content-Type"), maxContentType))
}
