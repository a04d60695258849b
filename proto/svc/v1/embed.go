package svcv1

import _ "embed"

// Source is the text of svc.proto. A program that links this package can hand
// out exactly the annotations that it understands.
//
//go:embed svc.proto
var Source string
