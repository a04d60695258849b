package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/protosvc/protosvc/test/manifests/objects"
)

// client speaks to an API server.
type client struct {
	url       string
	http      *http.Client
	resources map[string]resource // by version and kind
}

// resource is what the API server calls the objects of a kind in paths.
type resource struct {
	Name       string
	Kind       string
	Namespaced bool
}

func newClient(url string, config *tls.Config) *client {
	return &client{url, &http.Client{Transport: &http.Transport{TLSClientConfig: config}, Timeout: time.Minute}, map[string]resource{}}
}

// manager owns the fields of what is applied.
const manager = "e2e"

// apply is kubectl apply --server-side with strict validation. A warning of the API
// server is an error, too. With dry, nothing is stored. It returns the object as stored.
func (c *client) apply(ctx context.Context, namespace string, o objects.Object, dry bool) (objects.Object, error) {
	path, err := c.path(ctx, namespace, o)
	if err != nil {
		return nil, err
	}
	query := url.Values{"fieldManager": {manager}, "fieldValidation": {"Strict"}, "force": {"true"}}
	if dry {
		query.Set("dryRun", "All")
	}
	body, err := yaml.Marshal(o)
	if err != nil {
		return nil, err
	}
	var stored objects.Object
	return stored, c.do(ctx, http.MethodPatch, path+"/"+o.Name()+"?"+query.Encode(), "application/apply-patch+yaml", body, &stored)
}

// tryCreate is a dry run of kubectl create with strict validation.
func (c *client) tryCreate(ctx context.Context, namespace string, o objects.Object) error {
	path, err := c.path(ctx, namespace, o)
	if err != nil {
		return err
	}
	body, err := json.Marshal(o)
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodPost, path+"?dryRun=All&fieldValidation=Strict", "application/json", body, nil)
}

func (c *client) get(ctx context.Context, path string, into any) error {
	return c.do(ctx, http.MethodGet, path, "", nil, into)
}

// delete deletes an object, pods after so many seconds and no later.
func (c *client) delete(ctx context.Context, path string, grace int) error {
	return c.do(ctx, http.MethodDelete, fmt.Sprintf("%s?gracePeriodSeconds=%d", path, grace), "", nil, nil)
}

// create is kubectl create of what needs no check.
func (c *client) create(ctx context.Context, path string, fields map[string]any) error {
	body, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodPost, path, "application/json", body, nil)
}

// path is that of the objects of a kind, in a namespace if they are in one.
func (c *client) path(ctx context.Context, namespace string, o objects.Object) (string, error) {
	prefix := "/apis/" + o.APIVersion()
	if !strings.Contains(o.APIVersion(), "/") {
		prefix = "/api/" + o.APIVersion()
	}
	r, known := c.resources[o.APIVersion()+" "+o.Kind()]
	if !known {
		var list struct{ Resources []resource }
		if err := c.get(ctx, prefix, &list); err != nil {
			return "", err
		}
		for _, found := range list.Resources {
			if !strings.Contains(found.Name, "/") { // a status or a scale
				c.resources[o.APIVersion()+" "+found.Kind] = found
			}
		}
		if r, known = c.resources[o.APIVersion()+" "+o.Kind()]; !known {
			return "", fmt.Errorf("the API server has no %s of %s", o.Kind(), o.APIVersion())
		}
	}
	if r.Namespaced {
		prefix += "/namespaces/" + namespace
	}
	return prefix + "/" + r.Name, nil
}

// refusal is an answer of the API server that is no success.
type refusal struct {
	status  int
	message string
}

func (r *refusal) Error() string {
	return fmt.Sprintf("%d %s: %s", r.status, http.StatusText(r.status), r.message)
}

func (c *client) do(ctx context.Context, method, path, contentType string, body []byte, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Accept", "application/json")
	res, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		var status struct{ Message string }
		if json.Unmarshal(text, &status) != nil || status.Message == "" {
			status.Message = string(text)
		}
		return &refusal{res.StatusCode, status.Message}
	}
	if warnings := res.Header.Values("Warning"); len(warnings) > 0 {
		return errors.New("warning: " + strings.Join(warnings, "; "))
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(text, into)
}
