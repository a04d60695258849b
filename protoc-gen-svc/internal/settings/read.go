package settings

import (
	"context"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/plugin"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/sync"
)

// Read returns the settings of every service of a contract, or its faults.
func Read(ctx context.Context, source sync.Source) ([]Group, error) {
	requests, err := sync.Requests(ctx, source)
	if err != nil {
		return nil, err
	}
	var all []Group
	for _, request := range requests {
		system, protoRoot, err := plugin.Model(request)
		if err != nil {
			return nil, err
		}
		for _, s := range system.Services {
			all = append(all, Of(system, s, protoRoot)...)
		}
	}
	return all, nil
}
