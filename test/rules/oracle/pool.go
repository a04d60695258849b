package oracle

import (
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// pool is what the rules of a field speak of: values near these make or break
// them.
type pool struct {
	integers []int64 // also lengths, seconds, nanoseconds
	floats   []float64
	strings  []string
}

type pools map[protoreflect.FullName]*pool

// of returns the pool of a field.
func (p pools) of(field protoreflect.FieldDescriptor) *pool {
	if known, ok := p[field.FullName()]; ok {
		return known
	}
	out := &pool{
		integers: []int64{0, 1, -1, 2, 3, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64},
		floats:   []float64{0, math.Copysign(0, -1), 1, -1, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64},
		strings:  append(strings.Split(samples, "\n"), "", "a", "aé", "a\x00b", "é", "日本語", "\u2028"),
	}
	p[field.FullName()] = out
	for d := protoreflect.Descriptor(field); d != nil; d = d.Parent() {
		// The options of a map are on the field, not on its entry.
		if f, ok := d.(protoreflect.FieldDescriptor); ok {
			rules, _ := proto.GetExtension(f.Options(), validate.E_Field).(*validate.FieldRules)
			out.collect(rules.ProtoReflect())
		}
	}
	return out
}

// collect adds all constants in the rules.
func (p *pool) collect(m protoreflect.Message) {
	m.Range(func(field protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if !field.IsList() {
			p.add(v)
			return true
		}
		for i := range v.List().Len() {
			p.add(v.List().Get(i))
		}
		return true
	})
}

func (p *pool) add(v protoreflect.Value) {
	switch x := v.Interface().(type) {
	case int32, int64:
		p.integers = append(p.integers, v.Int()-1, v.Int(), v.Int()+1)
	case uint32, uint64:
		n := int64(v.Uint())
		p.integers = append(p.integers, n-1, n, n+1)
		for length := max(n-1, 0); length <= n+1 && n < 100; length++ {
			p.strings = append(p.strings, strings.Repeat("b", int(length)), strings.Repeat("é", int(length)))
		}
	case float32, float64:
		f := v.Float()
		p.floats = append(p.floats, f, math.Nextafter(f, math.Inf(1)), math.Nextafter(f, math.Inf(-1)),
			float64(math.Nextafter32(float32(f), 0)), f+1, f-1)
	case string:
		p.strings = append(p.strings, x, x+"z", "z"+x, x+"."+x)
	case []byte:
		p.strings = append(p.strings, string(x), string(x)+"z", "z"+string(x))
	case protoreflect.Message:
		p.collect(x)
	}
}

// scalar returns a value for a field; the rules are those of another one if the
// field is the key of a map.
func (c *comparison) scalar(field, rules protoreflect.FieldDescriptor) protoreflect.Value {
	p := c.pools.of(rules)
	n := pick(c, p.integers) + int64(c.random.IntN(3)-1)*int64(c.random.IntN(2))
	switch field.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(c.random.IntN(2) == 0)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(c.enum(field.Enum(), n))
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(int32(n))
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(n)
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(uint32(n))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(uint64(n))
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(float32(pick(c, p.floats)))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(pick(c, p.floats))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(c.text(p)))
	default:
		return protoreflect.ValueOfString(strings.ToValidUTF8(c.text(p), "�"))
	}
}

// enum returns a number; a closed enum has no others than its values.
func (c *comparison) enum(enum protoreflect.EnumDescriptor, n int64) protoreflect.EnumNumber {
	if enum.IsClosed() || c.random.IntN(2) == 0 {
		return enum.Values().Get(c.random.IntN(enum.Values().Len())).Number()
	}
	return protoreflect.EnumNumber(n)
}

// text returns a string of the pool, often with a few characters changed.
func (c *comparison) text(p *pool) string {
	out := pick(c, p.strings)
	if c.random.IntN(2) == 0 {
		return out
	}
	for range 1 + c.random.IntN(3) {
		at := c.random.IntN(len(out) + 1)
		letter := string(pick(c, letters))
		switch c.random.IntN(3) {
		case 0:
			out = out[:at] + letter + out[at:]
		case 1:
			out = out[:at] + letter + out[min(at+1, len(out)):]
		default:
			out = out[:at] + out[min(at+1, len(out)):]
		}
	}
	return out
}

// known fills the messages of protobuf that have rules of their own.
func (c *comparison) known(field protoreflect.FieldDescriptor, m protoreflect.Message) bool {
	p := c.pools.of(field)
	set := func(name protoreflect.Name, v any) {
		m.Set(m.Descriptor().Fields().ByName(name), protoreflect.ValueOf(v))
	}
	switch name := m.Descriptor().FullName(); name {
	case "google.protobuf.Duration", "google.protobuf.Timestamp":
		seconds := c.moderate(p)
		if name == "google.protobuf.Timestamp" && c.random.IntN(2) == 0 {
			seconds = time.Now().Unix() + int64(pick(c, []int{-7200, -1800, 1800, 7200}))
		}
		set("seconds", seconds)
		set("nanos", int32(c.moderate(p)%1_000_000_000))
	case "google.protobuf.Any":
		set("type_url", utf8Only(c.text(p)))
	case "google.protobuf.FieldMask":
		paths := m.Mutable(m.Descriptor().Fields().ByName("paths")).List()
		for range c.random.IntN(4) {
			paths.Append(protoreflect.ValueOfString(utf8Only(c.text(&pool{strings: append(p.strings[len(p.strings)/2:], "a", "b.c", "a.x")}))))
		}
	default:
		if !strings.HasPrefix(string(name), "google.protobuf.") {
			return false
		}
		value := m.Descriptor().Fields().ByName("value")
		m.Set(value, c.scalar(value, field))
	}
	return true
}

// moderate returns an integer that is a duration in seconds.
func (c *comparison) moderate(p *pool) int64 {
	n := pick(c, p.integers) + int64(c.random.IntN(3)-1)
	return n % 1_000_000_000
}

func utf8Only(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "?")
}

// pick prefers the end of a list, where pools have what the rules speak of.
func pick[T any](c *comparison, from []T) T {
	if last := min(len(from), 8); c.random.IntN(3) == 0 {
		return from[len(from)-1-c.random.IntN(last)]
	}
	return from[c.random.IntN(len(from))]
}

// letters are what changes of strings insert.
var letters = []rune("aAzZfFgGiIlLoOuU0189-_.:,;/?#@%[]!$&'()*+=~`{|}^\\\"<> \t\n\r\x00\x7fé日")

// samples have at least one string of each format, and some near misses.
const samples = `anna@example.com
a.b+c@x-y.example
anna@1.2
"anna"@example.com
example.com
example.com.
a-b.c
1.2.3
xn--bcher-kva.example
10.1.2.3
255.255.255.255
256.1.1.1
01.2.3.4
::
::1
1::
2001:db8:0:1:1:1:1:1
2001:DB8::1
::ffff:10.1.2.3
1:2:3:4:5:6:7.8.9.10
1:2:3:4:5:6:7::
fe80::1%eth0
fe80::1%25
10.0.0.0/8
10.1.2.3/8
10.1.2.3/32
10.1.2.3/33
0.0.0.0/0
::/0
::1/128
2001:db8::/32
2001:db8::1/32
fe80::1%eth0/64
::ffff:0.0.0.0/96
example.com:80
example.com:0
example.com:65535
example.com:65536
example.com:080
10.1.2.3:80
[::1]:80
[fe80::1%eth0]:80
[::1]
http://example.com
https://user:pw@example.com:8080/a/b?c=d&e=%20#f
https://[::1]:80/
https://[fe80::1%25eth0]/
https://[v1.x:y]/
https://ex%C3%A9mple.com/
https://ex%FFmple.com/
http://
urn:isbn:123
mailto:anna@example.com
file:///etc/hosts
a:
//host/path
/absolute/path
relative/path
a:b/c
./a:b
?query
#fragment
%41
%4
123e4567-e89b-12d3-a456-426614174000
123E4567-E89B-12D3-A456-42661417400
123e4567e89b12d3a456426614174000
01ARZ3NDEKTSV4RRFFQ69G5FAV
81ARZ3NDEKTSV4RRFFQ69G5FAV
01arz3ndektsv4rrffq69g5fav
order.v1.Order
.order.v1.Order
_a1.b
1a.b
a..b
content-type
:path
x_y~z
text/plain; charset=utf-8
tab	inside
abc
abyz
alm
a1` + "`" + `
abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk.example
abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl.example`
