package model

import (
	"errors"
	"fmt"
)

// problem is a row of the diagnostics as an error, for functions that do not know
// the place in the contract.
type problem struct {
	finding finding
	args    []any
}

func reject(m finding, args ...any) error { return problem{m, args} }

func (p problem) Error() string { return fmt.Sprintf(diagnostics[p.finding].Format, p.args...) }

// reject records a problem at its place.
func (b *builder) reject(at Origin, err error) {
	var p problem
	if errors.As(err, &p) {
		b.fault(at, p.finding, p.args...)
	}
}
