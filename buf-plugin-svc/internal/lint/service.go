package lint

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// verbFirst finds RPCs that begin with something else than a verb.
func verbFirst(s settings, m protoreflect.MethodDescriptor) string {
	isVerb := func(word string) bool {
		word = strings.ToLower(word)
		return verbs[word] || slices.Contains(s.rpcVerbs, word)
	}
	words := split(string(m.Name()))
	if len(words) == 0 || isVerb(words[0]) {
		return ""
	}
	fix := "begin with what it does"
	if i := slices.IndexFunc(words, isVerb); i > 0 {
		fix = fmt.Sprintf("want for example %q", words[i]+strings.Join(slices.Concat(words[:i], words[i+1:]), ""))
	}
	return fmt.Sprintf("RPC %q begins with %q, which is no known verb (%s, or add the word to the option rpc_verbs)", m.Name(), words[0], fix)
}

// rpcLimit finds services that do everything.
func rpcLimit(s settings, d protoreflect.ServiceDescriptor) string {
	n := d.Methods().Len()
	if n <= s.serviceRPCLimit {
		return ""
	}
	return fmt.Sprintf("service %q has %d RPCs, more than %d: split it by what belongs together (or set the option service_rpc_limit)", d.Name(), n, s.serviceRPCLimit)
}

// pageFields are what a request for a page and its answer have.
var pageFields = []struct {
	of    func(protoreflect.MethodDescriptor) protoreflect.MessageDescriptor
	name  protoreflect.Name
	kinds []protoreflect.Kind
}{
	{protoreflect.MethodDescriptor.Input, "page_size", []protoreflect.Kind{protoreflect.Int32Kind, protoreflect.Uint32Kind, protoreflect.Int64Kind, protoreflect.Uint64Kind}},
	{protoreflect.MethodDescriptor.Input, "page_token", []protoreflect.Kind{protoreflect.StringKind, protoreflect.BytesKind}},
	{protoreflect.MethodDescriptor.Output, "next_page_token", []protoreflect.Kind{protoreflect.StringKind, protoreflect.BytesKind}},
}

// pagination finds List RPCs that answer with everything there is. A stream has
// no need of pages.
func pagination(_ settings, m protoreflect.MethodDescriptor) string {
	if m.IsStreamingServer() || m.IsStreamingClient() || !strings.EqualFold(firstWord(m.Name()), "list") {
		return ""
	}
	var missing []string
	for _, want := range pageFields {
		message := want.of(m)
		field := message.Fields().ByName(want.name)
		if field == nil || field.IsList() || !slices.Contains(want.kinds, field.Kind()) {
			missing = append(missing, fmt.Sprintf("%s.%s (%s)", message.Name(), want.name, want.kinds[0]))
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return fmt.Sprintf("RPC %q has no pages: want the fields %s", m.Name(), strings.Join(missing, ", "))
}

func firstWord(name protoreflect.Name) string {
	if words := split(string(name)); len(words) > 0 {
		return words[0]
	}
	return ""
}
