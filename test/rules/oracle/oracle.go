// Package oracle compares generated validators with protovalidate, which is the
// definition of what the rules of buf.validate mean.
package oracle

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"buf.build/go/protovalidate"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	svcerrors "github.com/protosvc/protosvc/svc/errors"
)

// Validators has the generated validators by a message of their type. Nil: there
// is nothing to check.
type Validators = map[proto.Message]func(proto.Message) error

// definition evaluates the rules as validate.proto defines them, in CEL. The
// faster Go code that protovalidate 1.4 has for some rules is no oracle: it
// panics on repeated wrappers, and refuses an empty header value that need not
// be strict.
func definition() protovalidate.Validator {
	out, err := protovalidate.New(protovalidate.WithDisableNativeRules())
	if err != nil {
		panic(err)
	}
	return out
}

// Run compares the validators on random messages. It writes each defect and a
// line of statistics for each type, and returns the number of defects: messages
// that the two judge differently, types of which no message was valid, so that
// little was compared, and validators that allocate on valid messages.
func Run(out io.Writer, seed uint64, rounds int, tables ...Validators) int {
	defects, oracle := 0, definition()
	for _, table := range tables {
		for _, m := range sorted(table) {
			c := &comparison{
				out:    out,
				random: rand.New(rand.NewPCG(seed, 1)),
				check:  table[m],
				oracle: oracle,
				pools:  pools{},
			}
			c.run(m, rounds)
			defects += c.differences + c.allocations
			if c.valid == 0 {
				defects++
			}
			fmt.Fprintf(out, "%-24s %6d of %6d valid, %5.1f violations on average, %d allocations, %d differences\n",
				m.ProtoReflect().Descriptor().FullName(), c.valid, rounds+1, float64(c.violations)/float64(rounds), c.allocations, c.differences)
		}
	}
	return defects
}

// sorted returns the messages by name, so that equal seeds mean equal runs.
func sorted(table Validators) []proto.Message {
	var out []proto.Message
	for m := range table {
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b proto.Message) int {
		return strings.Compare(string(a.ProtoReflect().Descriptor().FullName()), string(b.ProtoReflect().Descriptor().FullName()))
	})
	return out
}

// comparison is the work on one type of message.
type comparison struct {
	out    io.Writer
	random *rand.Rand
	check  func(proto.Message) error
	oracle protovalidate.Validator
	pools  pools

	valid, violations, differences, allocations int
}

// run walks from message to message by small changes. It prefers changes that
// break fewer rules, since the interesting messages are the nearly valid ones,
// and starts anew now and then.
func (c *comparison) run(of proto.Message, rounds int) {
	current := of.ProtoReflect().New().Interface()
	broken := c.compare(current)
	for range rounds {
		next := proto.Clone(current)
		if c.random.IntN(1000) == 0 {
			next = of.ProtoReflect().New().Interface()
			c.fill(next.ProtoReflect(), 0)
		}
		c.change(next.ProtoReflect(), broken)
		found := c.compare(next)
		if len(found) <= len(broken) || c.random.IntN(200) == 0 {
			current, broken = next, found
		}
	}
}

// change mutates some fields; every other time one that breaks a rule.
func (c *comparison) change(m protoreflect.Message, broken []string) {
	if len(broken) > 0 && c.random.IntN(2) == 0 {
		name, _, _ := strings.Cut(pick(c, broken), ":")
		name, _, _ = strings.Cut(name, ".")
		name, _, _ = strings.Cut(name, "[")
		if field := m.Descriptor().Fields().ByName(protoreflect.Name(name)); field != nil {
			c.mutateField(m, field, 0)
			return
		}
	}
	for range 1 + c.random.IntN(3) {
		c.mutate(m, 0)
	}
}

// compare validates a message both ways, and returns what is wrong with it.
func (c *comparison) compare(m proto.Message) []string {
	ours := c.ours(m)
	theirs, err := c.theirs(m)
	if err != nil {
		// The only rule that fails to run is a pattern on bytes that are no
		// text. For us such bytes break it.
		if !strings.Contains(err.Error(), "UTF-8") || !slices.ContainsFunc(ours, func(v string) bool { return strings.Contains(v, "bytes.pattern") }) {
			c.differ(m, ours, []string{err.Error()})
		}
		return ours
	}
	ours = slices.DeleteFunc(ours, func(v string) bool {
		return !slices.Contains(theirs, v) && tolerated(m.ProtoReflect(), v)
	})
	c.violations += len(theirs)
	switch {
	case len(theirs) == 0 && len(ours) == 0:
		c.valid++
		if c.valid%50 == 1 && c.check != nil {
			c.allocations = max(c.allocations, int(testing.AllocsPerRun(20, func() { _ = c.check(m) })))
		}
	case !same(ours, theirs):
		c.differ(m, ours, theirs)
	}
	return theirs
}

// tolerated says where we do not follow the definition: its regular expression
// for the name of a header has the range "+-." by accident, and so allows the
// comma, which RFC 7230 does not. Protovalidate's own Go code does not either.
func tolerated(m protoreflect.Message, violation string) bool {
	name, rule, _ := strings.Cut(violation, ": ")
	if !strings.HasPrefix(rule, "string.well_known_regex.header_name:") {
		return false
	}
	value := m.Get(m.Descriptor().Fields().ByName(protoreflect.Name(name))).String()
	return strings.Contains(value, ",")
}

// same compares the violations, of which a long list shows the first ones: those that
// have a place in it, or, without their number, those that have one in a status.
func same(ours, theirs []string) bool {
	i := slices.IndexFunc(ours, func(violation string) bool { return strings.HasPrefix(violation, ": omitted: ") })
	if i < 0 {
		return slices.Equal(ours, theirs)
	}
	shown := slices.Delete(slices.Clone(ours), i, i+1)
	more := len(theirs) - len(shown)
	if more < 1 || len(without(shown, theirs)) > 0 {
		return false
	}
	return ours[i] == fmt.Sprintf(": omitted: %d more violations", more) || ours[i] == ": omitted: more violations"
}

func (c *comparison) differ(m proto.Message, ours, theirs []string) {
	c.differences++
	if c.differences > 3 {
		return
	}
	fmt.Fprintf(c.out, "--- DIFFERENCE: %s\n%s\nonly ours:\n\t%s\nonly protovalidate:\n\t%s\n",
		m.ProtoReflect().Descriptor().FullName(), prototext.Format(m),
		strings.Join(without(ours, theirs), "\n\t"), strings.Join(without(theirs, ours), "\n\t"))
}

func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(other, s) })
}

// ours returns the violations that the generated validator finds.
func (c *comparison) ours(m proto.Message) []string {
	if c.check == nil {
		return nil
	}
	err := c.check(m)
	if err == nil {
		return nil
	}
	typed, ok := errors.AsType[*svcerrors.Error](err)
	if !ok || !errors.Is(err, svcerrors.InvalidRequest) {
		panic(fmt.Sprintf("a validator returned %T: %v", err, err))
	}
	var out []string
	for _, detail := range typed.GRPCStatus().Details() {
		if bad, ok := detail.(*errdetails.BadRequest); ok {
			for _, v := range bad.GetFieldViolations() {
				out = append(out, line(v.GetField(), v.GetReason(), v.GetDescription()))
			}
		}
	}
	slices.Sort(out)
	return out
}

// theirs returns the violations that protovalidate finds.
func (c *comparison) theirs(m proto.Message) ([]string, error) {
	err := c.oracle.Validate(m)
	if err == nil {
		return nil, nil
	}
	invalid, ok := errors.AsType[*protovalidate.ValidationError](err)
	if !ok {
		return nil, err
	}
	var out []string
	for _, v := range invalid.Violations {
		path := protovalidate.FieldPathString(v.Proto.GetField())
		out = append(out, line(path, v.Proto.GetRuleId(), v.Proto.GetMessage()))
	}
	slices.Sort(out)
	return out, nil
}

// reworded are the rules whose message is not protovalidate's, which shows bytes
// as they are and floating-point numbers with the digits of a double.
var reworded = []string{"bytes.in", "bytes.not_in", "string.host_and_port_empty"}

func line(path, rule, message string) string {
	if slices.Contains(reworded, rule) || strings.HasPrefix(rule, "float.") {
		message = "…"
	}
	return path + ": " + rule + ": " + message
}
