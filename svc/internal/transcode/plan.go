package transcode

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Rule is what google.api.http says of one route, beside its pattern.
type Rule struct {
	// Patch is true for the HTTP method PATCH, for which an update_mask that is not
	// sent is made of what the body has.
	Patch bool

	// Variables are the field paths of the path's variables, in the order of its captures.
	Variables []string

	// Body is the field that the body is, "*" for the whole message, or empty for none.
	Body string

	// ResponseBody is the field of the response that is answered; empty: all of it.
	ResponseBody string

	// Lenient ignores query parameters that fit no field.
	Lenient bool
}

// Plan turns the requests of one route into messages, and messages into responses. It
// does not change, so goroutines may share it.
type Plan struct {
	request   protoreflect.MessageDescriptor
	variables []path
	body      content
	mask      protoreflect.FieldDescriptor // that is made of the body; nil: none
	answer    protoreflect.FieldDescriptor // that is answered; nil: the message
	layout    *layout                      // of the message that is answered; nil: it is none
	raw       bool                         // an HttpBody is answered
	lenient   bool
}

// Compile makes the plan of a route. Its errors are mistakes of the contract.
func Compile(request, response protoreflect.MessageDescriptor, rule Rule) (*Plan, error) {
	p := &Plan{request: request, lenient: rule.Lenient}
	for _, name := range rule.Variables {
		variable, err := compileVariable(request, name)
		if err != nil {
			return nil, err
		}
		p.variables = append(p.variables, variable)
	}
	var err error
	if p.body, err = compileContent(request, rule.Body); err != nil {
		return nil, err
	}
	if rule.Patch && isMessage(p.body.field) {
		p.mask = onlyMask(request)
	}
	if rule.ResponseBody != "" {
		if p.answer, err = jsonField(response, rule.ResponseBody); err != nil {
			return nil, fmt.Errorf("response_body: %w", err)
		}
	}
	switch {
	case p.answer == nil:
		p.layout = layouts{}.add(response)
	case isMessage(p.answer):
		p.layout = layouts{}.add(p.answer.Message())
	}
	p.raw = response.FullName() == httpBody && p.answer == nil || isMessage(p.answer) && p.answer.Message().FullName() == httpBody
	return p, nil
}

// Request fills an empty message of the plan's type. The captures are what the path has
// for the variables, unescaped. What is wrong with the request is an *errors.Error with
// violations; then the message is of no use.
func (p *Plan) Request(into proto.Message, captures []string, rawQuery string, body Body) error {
	if len(captures) != len(p.variables) {
		return fmt.Errorf("transcode: %d captures for %d variables of %s", len(captures), len(p.variables), p.request.FullName())
	}
	var found violations
	m := into.ProtoReflect()
	if fault := p.decode(m, body); fault != nil {
		found.add(fault.field, fault.text)
		proto.Reset(into) // half of a body contradicts what is right in path and query
	}
	for i, variable := range p.variables {
		if fault := variable.assign(m, captures[i]); fault != "" {
			found.add(variable.String(), fault)
		}
	}
	if rawQuery != "" {
		q := query{plan: p, m: m, violations: found}
		q.read(rawQuery)
		found = q.violations
	}
	if err := found.err(); err != nil {
		return err
	}
	p.fillMask(m, body)
	return complete(into)
}
