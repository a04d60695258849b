package model

import (
	"crypto/sha256"
	"encoding/hex"
	"go/token"
	"path"
	"regexp"
	"strings"
	"unicode"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/gocmd"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/imports"
)

// This file is the naming rule. A caller names the package of its callee with
// nothing at hand but the callee's full name, so everything here is a function
// of a proto name and the options, never of what else is in the run.

// What is added to the name of a service to name what belongs to it. The service
// that has the Headless name is the one that clients resolve, so no other may be
// called so.
const (
	headlessSuffix = "-headless"
	databaseSuffix = "-database"
	settingsSuffix = "-settings"
	migrateSuffix  = "-migrate"
)

// maxServiceName leaves room for each suffix in the 63 characters of a DNS label.
const maxServiceName = 63 - max(len(headlessSuffix), len(databaseSuffix), len(settingsSuffix), len(migrateSuffix))

// maxSystem leaves room for "-staging" in the label app.kubernetes.io/instance.
const maxSystem = 63 - len("-staging")

// maxObjectName is the length of a name of most Kubernetes objects: a DNS subdomain.
const maxObjectName = 253

var kebabName = regexp.MustCompile(`^[a-z]([-a-z0-9]*[a-z0-9])?$`)

// packageOf is the package of our code for a proto package: order.v1 becomes
// <root>/order/v1/orderv1svc.
func packageOf(root string, pkg protoreflect.FullName) Package {
	if pkg == "" {
		return newPackage(root, "nopackagesvc")
	}
	parts := strings.Split(string(pkg), ".")
	name := parts[len(parts)-1]
	if len(parts) > 1 && imports.IsVersion(name) {
		name = parts[len(parts)-2] + name
	}
	for i, p := range parts {
		parts[i] = importable(p)
	}
	return newPackage(root, path.Join(append(parts, goPackageName(name)+"svc")...))
}

func newPackage(root, dir string) Package {
	return Package{Path: protogen.GoImportPath(path.Join(root, dir)), Name: path.Base(dir), Dir: dir}
}

// importable avoids folder names that the go command treats in a special way.
func importable(dir string) string {
	if !gocmd.Ordinary(dir) {
		return "x" + strings.TrimPrefix(dir, "_") + "_"
	}
	return dir
}

// goPackageName keeps what a package name may contain.
func goPackageName(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
	if s == "" || unicode.IsDigit(rune(s[0])) {
		s = "x" + s
	}
	if token.IsKeyword(s) || s == "main" || !gocmd.Ordinary(s) {
		s += "svc"
	}
	return s
}

// deployableName is the default name of a service: its full name in kebab case,
// without what goes without saying. That is "Service" at its end, the version v1,
// and the service where it repeats the package: order.v1.OrderService is "order",
// shop.order.v2.OrderService "shop-order-v2", shop.v1.UserService "shop-user".
//
// It keeps the package, since clients find the service by this name and the
// services of two packages are often called the same.
func deployableName(full protoreflect.FullName) string {
	base := string(full.Name())
	if short := strings.TrimSuffix(base, "Service"); short != "" {
		base = short
	}
	pkg, version := splitVersion(full.Parent())
	var name []string
	for _, part := range pkg {
		name = append(name, words(part)...)
	}
	if version != "v1" {
		name = append(name, words(version)...)
	}
	if own := words(base); len(pkg) == 0 || strings.Join(words(pkg[len(pkg)-1]), "") != strings.Join(own, "") {
		name = append(name, own...)
	}
	return label(free(name), full)
}

// free adds a word to names that a service cannot have.
func free(name []string) []string {
	if whole := strings.Join(name, "-"); strings.HasSuffix(whole, headlessSuffix) || !gocmd.Ordinary(whole) {
		return append(name, "svc")
	}
	return name
}

// splitVersion takes the version off the end of a package.
func splitVersion(pkg protoreflect.FullName) (parts []string, version string) {
	if pkg == "" {
		return nil, ""
	}
	parts = strings.Split(string(pkg), ".")
	if last := parts[len(parts)-1]; imports.IsVersion(last) {
		return parts[:len(parts)-1], last
	}
	return parts, ""
}

const hashLength = 8

// label makes words a DNS label with room for what is added to it. Too long a
// name loses its first words, which it shares with others, and gets a hash of
// the full name.
func label(name []string, full protoreflect.FullName) string {
	whole := startWithLetter(strings.Join(name, "-"))
	if len(whole) <= maxServiceName {
		return whole
	}
	const room = maxServiceName - len("-") - hashLength
	for len(name) > 1 && len(startWithLetter(strings.Join(name, "-"))) > room {
		name = name[1:]
	}
	kept := startWithLetter(strings.Join(name, "-"))
	if len(kept) > room {
		kept = strings.TrimSuffix(kept[:room], "-")
	}
	sum := sha256.Sum256([]byte(full))
	return kept + "-" + hex.EncodeToString(sum[:])[:hashLength]
}

func startWithLetter(name string) string {
	if name == "" || !unicode.IsLetter(rune(name[0])) {
		return strings.TrimSuffix("svc-"+name, "-")
	}
	return name
}

// words splits a proto name into lower-case words, at underscores and at
// changes of case: "HTTPGateway_v2" becomes http, gateway, v2.
func words(s string) []string {
	runes := []rune(s)
	var out []string
	start := 0
	flush := func(end int) {
		if end > start {
			out = append(out, strings.ToLower(string(runes[start:end])))
		}
		start = end
	}
	for i, r := range runes {
		switch {
		case r == '_' || r == '-':
			flush(i)
			start = i + 1
		case unicode.IsUpper(r) && i > start:
			afterLower := !unicode.IsUpper(runes[i-1])
			beforeLower := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if afterLower || beforeLower {
				flush(i)
			}
		}
	}
	flush(len(runes))
	return out
}

func snake(s string) string { return strings.Join(words(s), "_") }

// initialisms are the words that Go writes in one case.
var initialisms = map[string]string{
	"api": "API", "cpu": "CPU", "dns": "DNS", "http": "HTTP", "https": "HTTPS", "id": "ID", "ip": "IP",
	"json": "JSON", "rpc": "RPC", "sku": "SKU", "sql": "SQL", "tcp": "TCP", "ttl": "TTL", "uri": "URI", "url": "URL", "uuid": "UUID",
}

// camel joins words in Go's way: "user_id" becomes UserID.
func camel(s string) string {
	var b strings.Builder
	for _, w := range words(s) {
		if up, ok := initialisms[w]; ok {
			b.WriteString(up)
			continue
		}
		b.WriteString(strings.ToUpper(w[:1]) + w[1:])
	}
	return b.String()
}

// unexported is camel with a lower-case first word, safe as an identifier.
func unexported(s string) string {
	ws := words(s)
	if len(ws) == 0 {
		return "x"
	}
	name := ws[0] + camel(strings.Join(ws[1:], "_"))
	if !unicode.IsLetter(rune(name[0])) {
		name = "x" + name
	}
	if token.IsKeyword(name) {
		name += "_"
	}
	return name
}

// serviceIdentifiers are the identifiers that our code makes of a service, %s being its
// Go name. Unexported ones begin with a small letter instead of the capital.
//
// Exported ones read as people expect, which is why identifier keeps the names of
// services away from them.
var serviceIdentifiers = struct{ exported, unexported []string }{
	exported:   []string{"%sName", "%sClient", "%sSpec", "%sDeps", "Dial%s", "Unimplemented%s", "%sPolicies", "%sMetrics", "New%sMetrics", "%sIdempotency", "%sOutbox"},
	unexported: []string{"%sServer", "New%sServer"},
}

// identifier is the name of a service in our code: its Go name, marked where it
// looks like what our code makes of another service. OrderClient becomes
// OrderClient_, since a service Order has an OrderClient.
func identifier(goName string) string {
	for _, form := range serviceIdentifiers.exported {
		before, after, _ := strings.Cut(form, "%s")
		if len(goName) > len(before+after) && strings.HasPrefix(goName, before) && strings.HasSuffix(goName, after) {
			return goName + "_"
		}
	}
	return goName
}

// lowerFirst turns an exported Go name into an unexported one that differs from
// every other's: only the first letter changes.
func lowerFirst(goName string) string { return strings.ToLower(goName[:1]) + goName[1:] }

// fieldName is the field of a method in the server of a service. No Go name of
// protobuf has a small letter behind an underscore, so what is marked so is not
// the field of another method.
func fieldName(service, method string) string {
	name := lowerFirst(method)
	if token.IsKeyword(name) || name == "mustEmbedUnimplemented"+service+"Server" {
		return name + "_rpc"
	}
	return name
}

// fakesSuffix is what the package of our code has at its end for its fakes: orderv1svctest.
const fakesSuffix = "test"

// nameFakes names the members of the service's fake. They are marked, as in fieldName,
// where a method has their name.
func (s *Service) nameFakes() {
	methods := map[string]bool{}
	for _, m := range s.Methods {
		methods[m.GoName] = true
	}
	member := func(method, of string) string {
		if methods[method+of] {
			return method + "_" + lowerFirst(of)
		}
		return method + of
	}
	for _, m := range s.Methods {
		m.Fake = FakeMethod{Answer: member(m.GoName, "Func"), Calls: member(m.GoName, "Calls")}
	}
}

// envName is how environment variables spell a name.
func envName(s string) string {
	return strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(s))
}

// goCamelCase is protoc-gen-go's rule for the Go name of a declaration, for
// callees of which only the proto name is known.
func goCamelCase(s string) string {
	isLower := func(i int) bool { return i < len(s) && 'a' <= s[i] && s[i] <= 'z' }
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '_' && i == 0:
			b.WriteByte('X')
		case c == '_' && isLower(i+1):
			// The letter after it starts a word and is written by the default case.
		case '0' <= c && c <= '9', c == '_':
			b.WriteByte(c)
		default:
			b.WriteString(strings.ToUpper(string(c)))
			for ; isLower(i + 1); i++ {
				b.WriteByte(s[i+1])
			}
		}
	}
	return b.String()
}
