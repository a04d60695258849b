package contractdiff

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/protos"
	"github.com/protosvc/protosvc/protoc-gen-svc/internal/sync"
)

// template is the file that says how a project generates.
const template = "buf.gen.yaml"

// Open finds the contract that a word stands for: a folder with buf.gen.yaml, an
// image or descriptor set, or a commit of the repository around the current folder.
// A commit is unpacked below temp, so the work tree stays as it is; buf's own input
// ".git#ref=" would have neither buf.gen.yaml nor the protos that git ignores.
func Open(ctx context.Context, word, temp string, buf sync.Buf) (sync.Source, error) {
	info, err := os.Stat(word)
	switch {
	case err == nil && info.IsDir():
		return project(buf, word), nil
	case err == nil:
		return sync.DescriptorSet{File: word, Template: template}, nil
	}
	commit, err := git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", word+"^{commit}")
	if errors.Is(err, exec.ErrNotFound) {
		return nil, fmt.Errorf("%q is neither a folder nor a file, and git, which knows commits, is not in PATH", word)
	}
	if err != nil {
		return nil, fmt.Errorf("%q is neither a folder, nor a file, nor a commit of the repository here", word)
	}
	dir, err := os.MkdirTemp(temp, "commit-")
	if err != nil {
		return nil, err
	}
	if err := unpack(ctx, strings.TrimSpace(string(commit)), dir); err != nil {
		return nil, fmt.Errorf("%s: %w", word, err)
	}
	if err := complete(ctx, dir); err != nil {
		return nil, fmt.Errorf("%s: %w", word, err)
	}
	return project(buf, dir), nil
}

// Refs are the branches and tags that Open takes, none where there is no repository.
func Refs(ctx context.Context) []string {
	out, err := git(ctx, "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags")
	if err != nil {
		return nil
	}
	return strings.Fields(string(out))
}

func project(buf sync.Buf, dir string) sync.Source {
	buf.Template, buf.Dir = filepath.Join(dir, template), dir
	return buf
}

func git(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	var output bytes.Buffer
	cmd.Stderr = &output
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git %s: %w\n%s", args[0], err, strings.TrimSpace(output.String()))
	}
	return out, nil
}

// unpack writes the current folder, as it was at a commit, into dir.
func unpack(ctx context.Context, commit, dir string) error {
	archive, err := git(ctx, "archive", "--format=tar", commit) // of the current folder
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir) // so that no link leads out
	if err != nil {
		return err
	}
	defer root.Close()
	reader := tar.NewReader(bytes.NewReader(archive))
	for {
		h, err := reader.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := write(root, h, reader); err != nil {
			return err
		}
	}
}

// write writes one entry. Links are not part of a contract.
func write(root *os.Root, h *tar.Header, content io.Reader) error {
	switch h.Typeflag {
	case tar.TypeDir:
		return root.MkdirAll(filepath.Clean(h.Name), 0o755)
	case tar.TypeReg:
		f, err := root.Create(h.Name)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, content)
		return errors.Join(err, f.Close())
	}
	return nil
}

// complete fills the folders that buf.yaml names and no commit has, because
// "protoc-gen-svc protos" writes them and git ignores them.
func complete(ctx context.Context, dir string) error {
	source, err := os.ReadFile(filepath.Join(dir, "buf.yaml"))
	if errors.Is(err, os.ErrNotExist) {
		return nil // one module without a name
	}
	if err != nil {
		return err
	}
	var config struct {
		Modules []struct {
			Path string `yaml:"path"`
		} `yaml:"modules"`
	}
	if err := yaml.Unmarshal(source, &config); err != nil {
		return fmt.Errorf("buf.yaml: %w", err)
	}
	own := false // the annotations are part of the project itself
	var missing []string
	for _, m := range config.Modules {
		if _, err := os.Stat(filepath.Join(dir, m.Path)); err != nil {
			missing = append(missing, m.Path)
		}
		_, err := os.Stat(filepath.Join(dir, m.Path, "svc/v1/svc.proto"))
		own = own || err == nil
	}
	for _, m := range missing {
		if err := protos.Write(ctx, protos.Options{Dir: filepath.Join(dir, m), ThirdPartyOnly: own}, io.Discard); err != nil {
			return err
		}
	}
	return nil
}
