package typecheck

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"text/template"
)

// What text/template says, taken apart.
var (
	executing = regexp.MustCompile(`(?s)^template: (.+?:\d+:\d+): executing .*? at <(.*?)>: (.*)$`)
	noField   = regexp.MustCompile(`^can't evaluate field (\w+) in type (.+)$`)
	location  = regexp.MustCompile(`^(.*:\d+:)(\d+)$`)
)

// Explain words an error of a running template as [Checker.Faults] are. The
// roots are the types of the data that templates start with.
func Explain(err error, roots ...reflect.Type) error {
	var failed template.ExecError
	if !errors.As(err, &failed) {
		return err
	}
	parts := executing.FindStringSubmatch(failed.Error())
	if parts == nil {
		return err
	}
	expression, message := parts[2], parts[3]
	if field := noField.FindStringSubmatch(message); field != nil {
		expression = "." + field[1] // text/template may name a part in front of it
		if t := reachable(roots)[field[2]]; t != nil {
			message = Missing(t, field[1])
		}
	}
	return fmt.Errorf("%s: %s: %s", oneBased(parts[1]), expression, message)
}

// ParseError is the error of a template that cannot be parsed, without the word
// that text/template begins it with.
func ParseError(err error) string { return strings.TrimPrefix(err.Error(), "template: ") }

// oneBased counts columns as editors do; text/template starts at 0.
func oneBased(position string) string {
	parts := location.FindStringSubmatch(position)
	if parts == nil {
		return position
	}
	column, _ := strconv.Atoi(parts[2]) // the expression has only digits
	return parts[1] + strconv.Itoa(column+1)
}
