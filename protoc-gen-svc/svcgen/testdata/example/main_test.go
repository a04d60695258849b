package main

import (
	"testing"

	"github.com/protosvc/protosvc/protoc-gen-svc/svcgen"
)

func TestOverlay(t *testing.T) {
	if err := svcgen.Check(svcgen.Overlay(overlay)); err != nil {
		t.Error(err)
	}
}
