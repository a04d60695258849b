package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// curl is an HTTP request that can be made and printed as the command that makes
// the same one.
type curl struct {
	flags  string // of the command, "-i"
	url    string
	header string // "name: value"; empty: none
	body   string // not empty: POST
}

// String is the command, quoted for a shell. A long one takes several lines.
func (c curl) String() string {
	words := []string{"curl"}
	if c.flags != "" {
		words = append(words, c.flags)
	}
	words = append(words, quote(c.url))
	if c.header != "" {
		words = append(words, "-H "+quote(c.header))
	}
	if c.body != "" {
		words = append(words, "-d "+quote(c.body))
	}
	line := strings.Join(words, " ")
	if len(line) <= lineWidth {
		return line
	}
	last := len(words) - 1
	return strings.Join(words[:last], " ") + " \\\n      " + words[last]
}

// lineWidth is where a command is broken, in bytes.
const lineWidth = 120

// quote quotes a word unless every shell takes it as it is.
func quote(word string) string {
	if !strings.ContainsAny(word, " ?&*{}[]\"'\\$") {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// do makes the request and returns the answer with its body.
func (c curl) do(ctx context.Context) (status string, body []byte, err error) {
	method := http.MethodGet
	if c.body != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, c.url, strings.NewReader(c.body))
	if err != nil {
		return "", nil, err
	}
	if name, value, ok := strings.Cut(c.header, ": "); ok {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", nil, err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	return res.Status, body, err
}

// doProto makes the request and decodes the answer, which must be 200 OK.
func (c curl) doProto(ctx context.Context, into proto.Message) error {
	status, body, err := c.do(ctx)
	if err != nil {
		return err
	}
	if err := promised("the HTTP status", status, "200 OK"); err != nil {
		return fmt.Errorf("%w: %s", err, body)
	}
	return protojson.Unmarshal(body, into)
}
