// Package validate is what generated validators call: a list of violations, the
// path of a field, and what a rule of buf.validate needs beside a comparison. The
// formats of strings are in package format.
//
// A validator is straight-line code, generated from the rules in the contract.
// It hands each broken rule to [Violations.Add], and a valid message costs
// comparisons only: paths and texts are made when a rule is broken, and nothing
// is allocated before.
package validate

import (
	"fmt"

	"google.golang.org/genproto/googleapis/rpc/errdetails"

	"github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/validate/format"
)

// maxViolations is how many violations an error lists. They travel in a header,
// and many peers refuse headers beyond 8 KiB; without a bound, a caller could
// make the server build an answer much larger than the request.
const maxViolations = 32

// Violations collects what is wrong with one message. The zero value is empty
// and ready.
type Violations struct {
	list    []*errdetails.BadRequest_FieldViolation
	omitted int
}

// Add records that a value breaks a rule. The rule is the identifier that
// buf.validate gives it, "string.min_len"; the message says what the rule wants,
// "must be at least 3 characters".
func (v *Violations) Add(at Path, rule, message string) {
	if len(v.list) == maxViolations {
		v.omitted++
		return
	}
	v.list = append(v.list, &errdetails.BadRequest_FieldViolation{
		Field:       at.String(),
		Reason:      rule,
		Description: message,
	})
}

// AddFormat records that a value lacks the format of a rule. The want names
// the format, "a valid email address". An empty value has a rule identifier of
// its own, "string.email_empty", as in buf.validate.
func (v *Violations) AddFormat(at Path, value, rule, want string) {
	identifier, message := format.Missed(value, rule, want)
	v.Add(at, identifier, message)
}

// Err returns nil when nothing is wrong. Otherwise it returns
// [errors.InvalidRequest] as an *errors.Error with a google.rpc.BadRequest that
// lists the violations: field, description, and the rule as the reason. Beyond
// 32 of them a last entry says how many are left out.
func (v *Violations) Err() error {
	if len(v.list) == 0 {
		return nil
	}
	list := v.list
	if v.omitted > 0 {
		list = append(list, &errdetails.BadRequest_FieldViolation{
			Reason:      "omitted",
			Description: fmt.Sprintf("%d more violations", v.omitted),
		})
	}
	bad := &errdetails.BadRequest{FieldViolations: list}
	return errors.InvalidRequest.New().WithDetails(bad)
}
