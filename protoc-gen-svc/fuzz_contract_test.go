package main_test

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

// draw turns bytes into choices. Once they are used up, every choice is the
// first one, so the first choice of a number must be the one that ends a list.
type draw struct {
	data []byte
	// meet says that names are few and made of each other.
	meet bool
}

// newDraw takes meet from the first byte without using it up, so that inputs from
// before there were such contracts are still what they were.
func newDraw(data []byte) draw { return draw{data: data, meet: len(data) > 0 && data[0]%16 < 3} }

func (d *draw) below(n int) int {
	if len(d.data) == 0 {
		return 0
	}
	b := d.data[0]
	d.data = d.data[1:]
	return int(b) % n
}

// once is true once in so many times, and never when no bytes are left.
func (d *draw) once(in int) bool { return d.below(in) == in-1 }

func (d *draw) one(of ...string) string { return of[d.below(len(of))] }

func (d *draw) raw(n int) string {
	n = min(n, len(d.data))
	out := string(d.data[:n])
	d.data = d.data[n:]
	return out
}

// canary is text that no output may have in a place where it would mean
// something. No name can contain it.
const canary = "canary!"

// pieces are what text is made of, besides plain bytes.
var pieces = []string{
	"\n" + canary, "\n\n" + canary, "\r" + canary, "\u2028" + canary, "\u0085" + canary, "\n# " + canary, "\n- " + canary,
	"\n" + canary + ": x", "\n" + canary + "=x", "\nRUN " + canary, "\n```\n" + canary, "\n~~~\n" + canary, "\n---\n" + canary,
	"*/", "/*", "//", "`", "```", "~~~", "{{", "}}", "{{.Name}}", "{{end}}", "\"", "'", "\\", "\\n", "|", "\\|", "||",
	"<script>", "</b>", "<!--", "-->", "--", "--!>", "->", "&", "&lt;", "]]>", "[a](b)", "![a](b)", "[x]: y", "<<EOF", "$(id)", "${HOME}", "%", "%s", "%!",
	"# ", " #", "- ", ": ", " :", "? ", "* ", "&a", "*a", "!!binary ", "@", "[", "]", "{", "}", "{user_id}", "{a_b}", ",", "=", "==", "null", "~", "true", "yes", "1e3", "0x1F", "1_000", ".inf",
	"\n", "\r\n", "\t", "\n\t", "\n    ", " ", "  ", "\x00", "\x07", "\x1b", "\x7f", "\u009f", "\u2029", "\ufeff", "\u202e", "\u2066", "\u00a0", "\uffff", "äöü", "世界", "🙂",
	"//go:build x", "\n//go:generate false", "\n+build ignore", "\nDeprecated: no", "\nline x.go:1", "\n1. one", "\n* item", "\n  - item", "\n# heading\n", ". ", "a.", "word", "Word of text",
}

// text is anything, as far as it is UTF-8.
func (d *draw) text() string {
	var out strings.Builder
	for range d.below(6) {
		if d.once(3) {
			out.WriteString(d.raw(d.below(9)))
		} else {
			out.WriteString(d.one(pieces...))
		}
	}
	return strings.ToValidUTF8(out.String(), "?")
}

// names are what people call things although it hurts somebody.
var names = []string{
	"Order", "order", "OrderService", "Service", "Server", "Client", "Config", "Error", "Context", "String", "Deps", "Name", "Table", "Metrics", "New", "Main", "main", "init",
	"type", "func", "range", "package", "import", "map", "interface", "error", "string", "int", "nil", "true", "any", "len", "append", "iota", "context", "time", "grpc", "codes", "svc", "errors",
	"policy", "server", "client", "metrics", "runtime", "slices", "app", "config", "conn", "ctx", "deps", "err", "handler", "req", "stream", "s", "m", "b", "d", "v1", "v2", "v1beta1", "internal", "vendor", "testdata",
	"_", "__", "_2aOdd", "a__b", "a_", "A_", "a_b", "aB", "AB", "a1", "a_1", "x_Y", "HTTPGateway", "getURL", "OrderError", "ORDER_ERROR", "GetOrder", "get_order", "ListOrders",
	"Unimplemented", "Unsafe", "Dial", "Validate", "validate", "Reset", "Descriptor", "ProtoMessage", "GetName", "default", "value", "on", "y", "null", "Watch", "deploy", "cmd", "k8s",
	"AVeryLongNameThatGoesOnAndOnUntilItIsLongerThanALabelOfTheDomainNameSystemMayBe",
}

// stems and forms make names that meet: what generated code makes of one is the
// name of another. Some are what the go command or Kubernetes keep to themselves.
var (
	stems = []string{"Order", "order", "OrderItem", "Item", "Type", "A", "AB", "B", "aux", "vendor", "page", "page_size", "Config"}
	forms = []string{
		"%s", "%s", "%s", "%sName", "%sClient", "%sServer", "%sDeps", "%sMetrics", "%sMethods", "%sService", "%sRequest", "%sHeadless", "Dial%s", "New%s", "Unimplemented%s", "Unsafe%sServer",
		"Register%s", "mustEmbedUnimplemented%sServer", "%s_ServiceDesc", "%s_", "_%s", "%[1]s_%[1]s", "%s_Item", "OrderItem%s", "validate%s", "check%s", "%s_test", "%s_linux",
	}
)

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"

// name is an identifier of protobuf.
func (d *draw) name() string {
	if d.meet {
		return fmt.Sprintf(d.one(forms...), d.one(stems...))
	}
	if !d.once(4) {
		return d.one(names...)
	}
	var out []byte
	for range 1 + d.below(8) {
		out = append(out, letters[d.below(len(letters))])
	}
	if '0' <= out[0] && out[0] <= '9' {
		out[0] = '_'
	}
	return string(out)
}

// fuzzContract is a contract made of bytes.
type fuzzContract struct {
	draw
	// tame says that options are such as are accepted, most of the time: a single
	// fault keeps everything else from being generated.
	tame  bool
	files []*descriptorpb.FileDescriptorProto
	taken map[string]bool // full names
	// What options and fields can refer to.
	messages []fuzzMessage
	services []string
	calls    []string
	errors   []string
	values   map[*descriptorpb.EnumValueDescriptorProto]string // full names
	visible  int                                               // the last file that has been declared where an option stands
	line     int32
}

type fuzzMessage struct {
	*descriptorpb.DescriptorProto
	fullName string
	file     int
}

func newFuzzContract(data []byte) *fuzzContract {
	c := &fuzzContract{draw: newDraw(data), taken: map[string]bool{}, values: map[*descriptorpb.EnumValueDescriptorProto]string{}}
	c.tame = !c.once(4)
	for range 1 + c.below(3) {
		c.addFile()
	}
	c.annotate()
	return c
}

// unique is a name that its scope does not have yet.
func (c *fuzzContract) unique(scope, name string) string {
	for c.taken[joinName(scope, name)] {
		name += "X"
	}
	c.taken[joinName(scope, name)] = true
	return name
}

func joinName(scope, name string) string { return strings.TrimPrefix(scope+"."+name, ".") }

// imported are the files that every file imports.
var imported = []string{
	"google/api/annotations.proto", "svc/v1/svc.proto", "buf/validate/validate.proto",
	"google/protobuf/duration.proto", "google/protobuf/timestamp.proto", "google/protobuf/wrappers.proto", "google/protobuf/empty.proto",
}

// syntaxes: an edition goes with the syntax "editions".
var syntaxes = []struct {
	syntax  string
	edition descriptorpb.Edition
}{
	{"proto3", 0}, {"proto3", 0}, {"proto2", 0}, {"editions", descriptorpb.Edition_EDITION_2023}, {"editions", descriptorpb.Edition_EDITION_2024},
}

func (c *fuzzContract) addFile() {
	syntax := syntaxes[c.below(len(syntaxes))]
	f := &descriptorpb.FileDescriptorProto{
		Name:           proto.String(c.path()),
		Package:        proto.String(c.pkg()),
		Dependency:     slices.Clone(imported),
		Syntax:         proto.String(syntax.syntax),
		Options:        &descriptorpb.FileOptions{},
		SourceCodeInfo: &descriptorpb.SourceCodeInfo{},
	}
	if syntax.edition != 0 {
		f.Edition = syntax.edition.Enum()
	}
	for _, earlier := range c.files {
		f.Dependency = append(f.Dependency, earlier.GetName())
	}
	f.Options.GoPackage = proto.String(c.goPackage(f.GetPackage()))
	c.files = append(c.files, f)
	for i := range c.below(3) {
		f.EnumType = append(f.EnumType, c.enum(f, f.GetPackage(), 5, int32(i)))
	}
	for i := range 1 + c.below(3) {
		f.MessageType = append(f.MessageType, c.message(f, f.GetPackage(), 4, int32(i)))
	}
	for i := range c.below(3) {
		f.Service = append(f.Service, c.service(f, int32(i)))
	}
}

func (c *fuzzContract) path() string {
	name := c.one("order/v1/order", "user/v1/user", "a", "x y/z", "Äpfel", "a-->b", "a`b|c", "*a*/b")
	if c.once(8) {
		name = c.text()
	}
	if c.meet {
		name = c.one("order/order", "order/item", "order/order_test", "order/Order", "order/a_service", "order/a_linux_service", "order/b", "order/order_windows")
	}
	for slices.ContainsFunc(c.files, func(f *descriptorpb.FileDescriptorProto) bool { return f.GetName() == name+".proto" }) {
		name += "x"
	}
	return name + ".proto"
}

func (c *fuzzContract) pkg() string {
	if len(c.files) > 0 && c.once(3) {
		return c.files[0].GetPackage()
	}
	var parts []string
	for range c.below(4) {
		parts = append(parts, c.name())
	}
	return strings.Join(parts, ".")
}

func (c *fuzzContract) goPackage(pkg string) string {
	dir := root + "/" + strings.ReplaceAll(pkg, ".", "/")
	switch {
	case c.meet && !c.once(16):
		return root + goPackageOf.Replace("."+pkg)
	case c.meet:
		return c.one("example.com/aux", "example.com/vendor/a", "example.com/a;main", root+"/deploy/order/cmd/order", root+"/order/ordersvc", root+"/Order")
	case c.once(16):
		return "example.com/" + c.text()
	case !c.tame && c.once(8):
		return "example.com/main;main"
	}
	return c.one(dir, dir, dir+";alias", dir+";type", "example.com/a.b/c-d", "example.com/x/v2;x", "example.com/go/context")
}

// goPackageOf makes a path that the go command takes out of any package.
var goPackageOf = strings.NewReplacer(".", "/x", "aux", "auxiliary", "vendor", "vendors")

// at records where a declaration is, with a comment or without.
func (c *fuzzContract) at(f *descriptorpb.FileDescriptorProto, path ...int32) {
	c.line++
	location := &descriptorpb.SourceCodeInfo_Location{Path: path, Span: []int32{c.line, 0, 1}}
	if !c.once(3) {
		location.LeadingComments = proto.String(c.text())
	}
	f.SourceCodeInfo.Location = append(f.SourceCodeInfo.Location, location)
}

func (c *fuzzContract) enum(f *descriptorpb.FileDescriptorProto, scope string, path ...int32) *descriptorpb.EnumDescriptorProto {
	e := &descriptorpb.EnumDescriptorProto{Name: proto.String(c.unique(scope, c.name()))}
	c.at(f, path...)
	for i := range 1 + c.below(4) {
		name := c.unique(scope, strings.ToUpper(c.name()))
		if c.once(2) {
			name = c.unique(scope, strings.ToUpper(e.GetName()+"_"+c.name()))
		}
		value := &descriptorpb.EnumValueDescriptorProto{Name: proto.String(name), Number: proto.Int32(int32(i))}
		e.Value = append(e.Value, value)
		c.values[value] = joinName(scope, name)
		c.at(f, slices.Concat(path, []int32{2, int32(i)})...)
	}
	return e
}

func (c *fuzzContract) service(f *descriptorpb.FileDescriptorProto, index int32) *descriptorpb.ServiceDescriptorProto {
	s := &descriptorpb.ServiceDescriptorProto{Name: proto.String(c.unique(f.GetPackage(), c.name()))}
	full := joinName(f.GetPackage(), s.GetName())
	c.at(f, 6, index)
	c.services = append(c.services, full)
	for i := range c.below(5) {
		s.Method = append(s.Method, &descriptorpb.MethodDescriptorProto{
			Name:            proto.String(c.unique(full, c.name())),
			InputType:       proto.String(c.messageType()),
			OutputType:      proto.String(c.messageType()),
			ClientStreaming: proto.Bool(c.once(5)),
			ServerStreaming: proto.Bool(c.once(5)),
		})
		c.at(f, 6, index, 2, int32(i))
		c.calls = append(c.calls, full+"/"+s.Method[i].GetName())
	}
	return s
}

func (c *fuzzContract) messageType() string {
	if c.once(8) {
		return c.one(".google.protobuf.Empty", ".google.protobuf.Duration", ".google.protobuf.StringValue")
	}
	return "." + c.messages[c.below(len(c.messages))].fullName
}
