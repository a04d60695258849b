package main_test

import (
	"slices"
	"strings"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

// noBraces makes a text a message without placeholders.
var noBraces = strings.NewReplacer("{", "(", "}", ")")

// mendError makes an error acceptable, but for its code and message.
func mendError(e *svcv1.Error) {
	if !e.Retryable {
		e.RetryDelay = ""
	}
	for i, t := range e.Translations {
		t.Locale = []string{"de", "pt-BR", "zh-Hant"}[i]
		t.Message = noBraces.Replace(t.Message) + "x"
	}
}

// mendMappings maps an error that the method does not declare to one that it
// does, unless it is handled, and none where there are no two such.
func (c *fuzzContract) mendMappings(m *svcv1.Method) {
	others := slices.DeleteFunc(slices.Clone(c.errors), func(name string) bool { return slices.Contains(m.Errors, name) })
	if len(m.MapErrors) == 0 || len(m.Errors) == 0 || len(others) == 0 {
		m.MapErrors = nil
		return
	}
	mapping := &svcv1.ErrorMapping{From: c.one(others...), Handled: m.MapErrors[0].Handled}
	if !mapping.Handled {
		mapping.To = c.one(m.Errors...)
	}
	m.MapErrors = []*svcv1.ErrorMapping{mapping}
}

// mendPropagated gives each key a name of its own.
func mendPropagated(keys []*svcv1.Propagated) {
	for i, p := range keys {
		p.Key = []string{"x-tenant-id", "x.a_b", "0"}[i]
	}
}
