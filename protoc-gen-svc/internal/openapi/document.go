package openapi

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
)

// document returns the document with the errors of the services' methods.
func document(text string, services []*model.Service) (string, error) {
	operations := func(item *object) error {
		for i := range *item {
			if err := (*item)[i].edit(func(operation *object) error { return addMethod(operation, services) }); err != nil {
				return err
			}
		}
		return nil
	}
	var root object
	if err := json.Unmarshal([]byte(text), &root); err != nil {
		return "", err
	}
	if paths := root.member("paths"); paths != nil {
		err := paths.edit(func(paths *object) error {
			for i := range *paths {
				if err := (*paths)[i].edit(operations); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return "", err
		}
	}
	return root.indented()
}

// addMethod adds what the contract says of an operation's method.
func addMethod(operation *object, services []*model.Service) error {
	method := methodOf(operation.text("operationId"), services)
	if method == nil {
		return nil
	}
	if method.IdempotencyKey != "" {
		if err := addKey(operation, method.IdempotencyKey); err != nil {
			return err
		}
	}
	return addErrors(operation, method)
}

// addErrors adds a response for each HTTP status of the errors of a method, and how a
// stream is answered. A response that is there already stays.
func addErrors(operation *object, method *model.Method) error {
	responses := operation.member("responses")
	if responses == nil {
		return nil
	}
	if method.Kind == model.ServerStream {
		if err := responses.edit(addStreamTypes); err != nil {
			return err
		}
	}
	return responses.edit(func(responses *object) error {
		for _, status := range statusesOf(method.Errors) {
			key := strconv.Itoa(int(status))
			if responses.member(key) != nil {
				continue
			}
			value, err := json.Marshal(responseOf(status, method.Errors))
			if err != nil {
				return err
			}
			*responses = append(*responses, member{key, value})
		}
		return nil
	})
}

// addStreamTypes says how a stream is answered: in lines, or as events.
func addStreamTypes(responses *object) error {
	types := func(content *object) error {
		if answer := content.member("application/json"); answer != nil {
			answer.key = "application/x-ndjson"
			*content = append(*content, member{"text/event-stream", answer.value})
		}
		return nil
	}
	return responses.editMember("200", func(response *object) error { return response.editMember("content", types) })
}

// secondBinding is what follows the name of a method where it has several paths.
var secondBinding = regexp.MustCompile(`_[0-9]+$`)

// methodOf finds the method of an operation: Service_Method, and perhaps the
// number of its path.
func methodOf(operationID string, services []*model.Service) *model.Method {
	for _, id := range []string{operationID, secondBinding.ReplaceAllString(operationID, "")} {
		for _, s := range services {
			service := s.FullName[strings.LastIndexByte(s.FullName, '.')+1:]
			for _, m := range s.Methods {
				if id == service+"_"+m.Name {
					return m
				}
			}
		}
	}
	return nil
}

func statusesOf(errors []*model.Error) []uint32 {
	var out []uint32
	for _, e := range errors {
		out = append(out, e.HTTP)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// response is an OpenAPI response object. The extension is for programs, which
// find the reason of an error that they got there.
type response struct {
	Description string             `json:"description"`
	Content     map[string]content `json:"content"`
	Reasons     []string           `json:"x-error-reasons"`
}

type content struct {
	Schema struct {
		Ref string `json:"$ref"`
	} `json:"schema"`
}

func responseOf(status uint32, errors []*model.Error) response {
	var lines []string
	r := response{}
	for _, e := range errors {
		if e.HTTP == status {
			r.Reasons = append(r.Reasons, e.Reason)
			lines = append(lines, "- "+e.Reason+": "+string(e.Comment.Or(e.Message)))
		}
	}
	r.Description = strings.Join(lines, "\n")
	var body content
	body.Schema.Ref = "#/components/schemas/google.rpc.Status"
	r.Content = map[string]content{"application/json": body}
	return r
}
