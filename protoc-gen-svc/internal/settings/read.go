package settings

import (
	"context"

	"google.golang.org/protobuf/types/pluginpb"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/plugin"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/sync"
)

// Read returns the settings of every service of a contract, or its faults.
func Read(ctx context.Context, source sync.Source) ([]Group, error) {
	requests, err := sync.Requests(ctx, source)
	if err != nil {
		return nil, err
	}
	return OfRequests(requests)
}

// OfRequests returns the settings of every service in runs of the plugin.
func OfRequests(requests []*pluginpb.CodeGeneratorRequest) ([]Group, error) {
	var all []Group
	for _, request := range requests {
		system, protoRoot, err := plugin.Model(request)
		if err != nil {
			return nil, err
		}
		all = append(all, Unreturned(system, protoRoot)...) // in front, as they belong to no service
		for _, s := range system.Services {
			all = append(all, Of(system, s, protoRoot)...)
		}
	}
	return all, nil
}
