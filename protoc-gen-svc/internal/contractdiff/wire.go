package contractdiff

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// Break is something that old and new messages or calls do not have in common, as
// buf's own check tells it.
type Break struct {
	Path    string `json:"path"`
	Line    int    `json:"start_line"`
	Column  int    `json:"start_column"`
	Rule    string `json:"type"`
	Message string `json:"message"`
}

// checkConfig makes buf compare what travels: binary and JSON. Source code is
// generated anew anyway.
const checkConfig = `{"version":"v2","breaking":{"use":["WIRE_JSON"]}}`

// wire has buf compare two contracts.
func wire(ctx context.Context, command []string, temp string, before, after []*pluginpb.CodeGeneratorRequest) ([]Break, error) {
	old, err := image(temp, "old.binpb", before)
	if err != nil {
		return nil, err
	}
	now, err := image(temp, "new.binpb", after)
	if err != nil {
		return nil, err
	}
	args := append(command[1:len(command):len(command)], "breaking", now, "--against", old, "--config", checkConfig, "--error-format", "json")
	cmd := exec.CommandContext(ctx, command[0], args...)
	var output, trouble bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &trouble
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("%s is not in PATH: say how to run buf with --buf", command[0])
	case err != nil && !(errors.As(err, &exit) && strings.Contains(output.String(), "{")):
		return nil, fmt.Errorf("buf breaking: %w\n%s", err, strings.TrimSpace(trouble.String()+output.String()))
	}
	var breaks []Break
	for line := range strings.Lines(output.String()) {
		var b Break
		if err := json.Unmarshal([]byte(line), &b); err != nil {
			return nil, fmt.Errorf("buf breaking printed %q: %w", line, err)
		}
		breaks = append(breaks, b)
	}
	return breaks, nil
}

// image writes the files of a contract, with their imports, as a descriptor set.
func image(dir, name string, requests []*pluginpb.CodeGeneratorRequest) (string, error) {
	set, have := new(descriptorpb.FileDescriptorSet), map[string]bool{}
	for _, r := range requests {
		for _, f := range r.GetProtoFile() {
			if !have[f.GetName()] {
				set.File = append(set.File, f)
			}
			have[f.GetName()] = true
		}
	}
	raw, err := proto.Marshal(set)
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, name)
	return file, os.WriteFile(file, raw, 0o600)
}
