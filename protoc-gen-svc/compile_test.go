package main_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

// compile builds all protos in one run of the pinned buf.
func compile(sources map[string][]byte) (*descriptorpb.FileDescriptorSet, error) {
	repository, err := repository()
	if err != nil {
		return nil, err
	}
	workspace, err := os.MkdirTemp("", "golden")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(workspace)
	sources = withEntry(sources, "../buf.yaml", "version: v2\nmodules:\n  - path: case\n  - path: third_party\n  - path: annotations\n")
	for name, text := range sources {
		if err := write(filepath.Join(workspace, "case", name), text); err != nil {
			return nil, err
		}
	}
	err = errors.Join(
		os.Symlink(filepath.Join(repository, "third_party"), filepath.Join(workspace, "third_party")),
		os.MkdirAll(filepath.Join(workspace, "annotations", "svc"), 0o755),
		os.Symlink(filepath.Join(repository, "proto/svc/v1"), filepath.Join(workspace, "annotations", "svc", "v1")),
	)
	if err != nil {
		return nil, err
	}
	buf := exec.Command("go", "tool", "-modfile=tools/buf/go.mod", "buf", "build", workspace, "-o", "-")
	buf.Dir = repository
	image, err := output(buf)
	if err != nil {
		return nil, err
	}
	set := &descriptorpb.FileDescriptorSet{}
	return set, proto.Unmarshal(image, set)
}

func withEntry(sources map[string][]byte, name, text string) map[string][]byte {
	out := map[string][]byte{name: []byte(text)}
	for k, v := range sources {
		out[k] = v
	}
	return out
}

// repository is the root of the repository with third_party in place.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod in any folder above")
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "third_party/buf/validate/validate.proto")); err != nil {
		return "", errors.New("third_party is missing: run make third_party")
	}
	return dir, nil
}

// output runs a command and returns its standard output; what it complains
// about is in the error.
func output(command *exec.Cmd) ([]byte, error) {
	var problems bytes.Buffer
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		return nil, errors.New(command.String() + ": " + err.Error() + "\n" + problems.String() + string(out))
	}
	return out, nil
}

func write(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}
