// Package pods talks to the admin ports of pods, by the protocol of package reload.
package pods

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/protosvc/protosvc/internal/reload"
)

// Client asks pods.
type Client struct {
	HTTP *http.Client
}

// Pod is the admin port of one.
type Pod struct {
	Address string // host:port
	Token   string // that it asks for; "" is none
}

// timeout of one request. A pod that takes longer is as good as one that does not answer.
const timeout = 5 * time.Second

// largest is the most bytes of an answer that are read.
const largest = 1 << 20

// Look returns what is in force in a pod, and for how long by the pod's own clock.
func (c *Client) Look(ctx context.Context, p Pod) (reload.Response, time.Duration, error) {
	return c.ask(ctx, p, http.MethodGet, "/config/reload", nil)
}

// Hold has the pod reload only when it is asked to, for so long.
func (c *Client) Hold(ctx context.Context, p Pod, d time.Duration) (reload.Response, time.Duration, error) {
	return c.ask(ctx, p, http.MethodPost, "/config/hold?for="+d.String(), nil)
}

// Check asks whether the pod would take files, by their names.
func (c *Client) Check(ctx context.Context, p Pod, files map[string]string) (reload.Response, error) {
	body, err := json.Marshal(files)
	if err != nil {
		return reload.Response{}, err
	}
	res, _, err := c.ask(ctx, p, http.MethodPost, "/config/reload?dry_run=1", body)
	return res, err
}

// Load has the pod put its files in force.
func (c *Client) Load(ctx context.Context, p Pod) (reload.Response, error) {
	res, _, err := c.ask(ctx, p, http.MethodPost, "/config/reload", nil)
	return res, err
}

// Undo has the pod go back, if these files are in force.
func (c *Client) Undo(ctx context.Context, p Pod, files string) (reload.Response, error) {
	res, _, err := c.ask(ctx, p, http.MethodPost, "/config/undo?files="+url.QueryEscape(files), nil)
	return res, err
}

// Ready reports whether the pod takes calls, as itself says.
func (c *Client) Ready(ctx context.Context, p Pod) bool {
	res, err := c.send(ctx, p, http.MethodGet, "/readyz", nil)
	if err != nil {
		return false
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, largest))
	return res.StatusCode == http.StatusOK
}

func (c *Client) ask(ctx context.Context, p Pod, method, path string, body []byte) (answer reload.Response, inForce time.Duration, err error) {
	res, err := c.send(ctx, p, method, path, body)
	if err != nil {
		return answer, 0, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, largest))
	if err != nil {
		return answer, 0, err
	}
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusUnprocessableEntity {
		return answer, 0, fmt.Errorf("%s %s: %s: %.200s", method, path, res.Status, bytes.TrimSpace(text))
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return answer, 0, fmt.Errorf("%s %s: %w", method, path, err)
	}
	now, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		return answer, 0, fmt.Errorf("%s %s: the answer has no date: %w", method, path, err)
	}
	return answer, now.Sub(answer.Since), nil
}

func (c *Client) send(ctx context.Context, p Pod, method, path string, body []byte) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	req, err := http.NewRequestWithContext(ctx, method, "http://"+p.Address+path, bytes.NewReader(body))
	if err != nil {
		cancel()
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if p.Token != "" {
		req.Header.Set("Authorization", "Bearer "+p.Token)
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		cancel()
		return nil, err
	}
	res.Body = until{res.Body, cancel}
	return res, nil
}

// until is a body whose request ends with it.
type until struct {
	io.ReadCloser
	cancel func()
}

func (u until) Close() error {
	defer u.cancel()
	return u.ReadCloser.Close()
}
