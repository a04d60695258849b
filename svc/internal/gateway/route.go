package gateway

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/protosvc/protosvc/internal/httprule"
	"github.com/protosvc/protosvc/svc/internal/transcode"
)

// Route is what google.api.http says of one path of a method.
type Route struct {
	Method, Path, RPC, Body, ResponseBody string

	// IdempotencyKey is the field that the header of that name may stand for.
	IdempotencyKey string
}

// endpoint is a route that is served.
type endpoint struct {
	rpc  string
	path string // its template
	plan *transcode.Plan
	key  protoreflect.FieldDescriptor // of idempotency; nil: none
	// serve answers a request. An error that it returns is not answered yet.
	serve func(ctx context.Context, c *call) error
}

// compile makes the endpoints of routes and the router that finds them. There is HEAD
// where there is GET, unless the contract has a route of its own for it.
func compile(methods *Methods, routes []Route) (*httprule.Router, []endpoint, error) {
	var heads, rules []httprule.Rule
	var headEndpoints, endpoints []endpoint
	for _, r := range routes {
		template, err := httprule.Parse(r.Path)
		if err != nil {
			return nil, nil, fmt.Errorf("route %s %s: %w", r.Method, r.Path, err)
		}
		e, err := methods.endpoint(r, template)
		if err != nil {
			return nil, nil, fmt.Errorf("route %s %s: %w", r.Method, r.Path, err)
		}
		rules, endpoints = append(rules, httprule.Rule{Method: r.Method, Template: template}), append(endpoints, e)
		if r.Method == http.MethodGet {
			heads, headEndpoints = append(heads, httprule.Rule{Method: http.MethodHead, Template: template}), append(headEndpoints, e)
		}
	}
	return httprule.New(append(heads, rules...)), append(headEndpoints, endpoints...), nil
}

func (m *Methods) endpoint(r Route, template httprule.Template) (endpoint, error) {
	md, err := descriptor(r.RPC)
	if err != nil {
		return endpoint{}, err
	}
	rule := transcode.Rule{Patch: r.Method == http.MethodPatch, Body: r.Body, ResponseBody: r.ResponseBody}
	for _, v := range template.Variables {
		rule.Variables = append(rule.Variables, v.Field)
	}
	plan, err := transcode.Compile(md.Input(), md.Output(), rule)
	if err != nil {
		return endpoint{}, err
	}
	key, err := keyField(md, r.IdempotencyKey)
	if err != nil {
		return endpoint{}, err
	}
	e := endpoint{rpc: r.RPC, path: r.Path, plan: plan, key: key}
	if method, ok := m.unary[r.RPC]; ok {
		e.serve = method.serve
		return e, nil
	}
	stream, ok := m.streams[r.RPC]
	switch {
	case !ok:
		return e, fmt.Errorf("no service has the method %s", r.RPC)
	case stream.desc.ClientStreams:
		return e, fmt.Errorf("the request of %s is a stream, which HTTP/JSON does not have", r.RPC)
	}
	e.serve = stream.serve
	return e, nil
}

// descriptor returns what the contract says of a method. Generated code has registered it.
func descriptor(rpc string) (protoreflect.MethodDescriptor, error) {
	name := strings.ReplaceAll(strings.TrimPrefix(rpc, "/"), "/", ".")
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		return nil, fmt.Errorf("no contract has the method %s", rpc)
	}
	md, ok := found.(protoreflect.MethodDescriptor)
	if !ok {
		return nil, fmt.Errorf("%s is not a method", rpc)
	}
	return md, nil
}
