package sync

import (
	"context"
	"fmt"
	"path/filepath"

	"google.golang.org/protobuf/types/pluginpb"
)

// Requests are the runs of the plugin on a contract.
func Requests(ctx context.Context, s Source) ([]*pluginpb.CodeGeneratorRequest, error) {
	return s.requests(ctx)
}

// Output is the folder that a template, buf.gen.yaml, has protoc-gen-svc write to.
func Output(template string) (string, error) {
	t, err := openTemplate(template)
	if err != nil {
		return "", err
	}
	folder := ""
	for _, plugin := range t.Plugins {
		outs := list(plugin["out"])
		if len(outs) != 1 || outs[0] == "" {
			return "", fmt.Errorf("%s: the plugin has no out: (name the folder with --out)", template)
		}
		out := filepath.Clean(outs[0])
		if folder != "" && folder != out {
			return "", fmt.Errorf("%s: protoc-gen-svc writes to %s and to %s: name one of them with --out", template, folder, out)
		}
		folder = out
	}
	return folder, nil
}
