package rules

import "github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"

// finding is a row of the table of diagnostics.
type finding int

// The rows, in the order of their rules.
const (
	tooLarge finding = iota
	minAboveMax
	notComparable
	emptyRange
	emptyList
	impossibleConst
	oneofEmpty
	oneofUnknown
	oneofTwice
	ruleOnMessage
	ruleInside
	ruleType
	uniqueMessages
	foreignRule
	celRule
	badPattern
	badKnownRegex
	badWithin
)

// diagnostics is everything that Build says about rules that cannot be generated.
var diagnostics = [...]fault.Message{
	tooLarge:        {Rule: "validate-impossible", Format: "no message is that large"},
	minAboveMax:     {Rule: "validate-impossible", Format: "%d is more than %s, which is %d"},
	notComparable:   {Rule: "validate-impossible", Format: "no value can be compared with this"},
	emptyRange:      {Rule: "validate-impossible", Format: "no value of this type is %s"},
	emptyList:       {Rule: "validate-impossible", Format: "no value can be in this list"},
	impossibleConst: {Rule: "validate-impossible", Format: "no value can equal this"},
	oneofEmpty:      {Rule: "validate-oneof", Format: "names no fields"},
	oneofUnknown:    {Rule: "validate-oneof", Format: "no field %q%s"},
	oneofTwice:      {Rule: "validate-oneof", Format: "field %q is named twice"},
	ruleOnMessage:   {Rule: "validate-type", Format: "does not fit a message: put rules on the fields of the message"},
	ruleInside:      {Rule: "validate-type", Format: "does not fit the type of the field: use %s"},
	ruleType:        {Rule: "validate-type", Format: "does not fit the type of the field: use %s"},
	uniqueMessages:  {Rule: "validate-type", Format: "messages cannot be compared: unique needs elements that are scalars or enums"},
	foreignRule:     {Rule: "validate-unsupported", Format: "field %d of %s is a predefined rule or newer than this plugin, and cannot be generated: use the rules of buf.validate, or check it in the handler"},
	celRule:         {Rule: "validate-unsupported", Format: "CEL expressions cannot be generated: use the rules of buf.validate, or check it in the handler"},
	badPattern:      {Rule: "validate-value", Format: "%q is not a regular expression of RE2: %s"},
	badKnownRegex:   {Rule: "validate-value", Format: "%d is not a value of buf.validate.KnownRegex"},
	badWithin:       {Rule: "validate-value", Format: "not a duration above zero"},
}

// Messages are all that the package can say.
func Messages() []fault.Message { return diagnostics[:] }
