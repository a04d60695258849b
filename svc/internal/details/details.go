// Package details reads the details of a gRPC status.
package details

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// Find returns the first detail of the type M, or nil.
func Find[M any, P interface {
	*M
	proto.Message
}](all []*anypb.Any) P {
	for _, detail := range all {
		m := P(new(M))
		if detail.MessageIs(m) && detail.UnmarshalTo(m) == nil {
			return m
		}
	}
	return nil
}
