package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/protosvc/protosvc/test/manifests/objects"
)

// kubernetes is the newest version whose schemas kubectl-validate carries.
const kubernetes = "1.30"

// tools are the programs that judge, and what they need.
type tools struct {
	kubectlValidate, kubeScore string
	crds                       string // a folder
	scratch                    string
}

func prepare(ctx context.Context, scratch string) (*tools, error) {
	t := &tools{scratch: scratch}
	var err error
	if t.kubectlValidate, err = built(ctx, "kubectl-validate"); err != nil {
		return nil, err
	}
	if t.kubeScore, err = built(ctx, "kube-score"); err != nil {
		return nil, err
	}
	t.crds, err = objects.Definitions(ctx, ".")
	return t, err
}

// built builds a tool into the build cache, if it is not there, and returns its path.
func built(ctx context.Context, name string) (string, error) {
	return objects.Output(ctx, ".", "go", "tool", "-modfile=tools/"+name+"/go.mod", "-n", name)
}

// judged runs a program that exits with 1 when it finds faults, and reads its JSON.
func judged(cmd *exec.Cmd, verdict any) error {
	// No cluster is asked for its schemas, and nothing for those that are not built in.
	cmd.Env = append(os.Environ(), "KUBECONFIG="+os.DevNull, "KUBERNETES_SERVICE_HOST=", "HTTPS_PROXY=http://127.0.0.1:1")
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 1) {
		return fmt.Errorf("%s: %w\n%s%s", filepath.Base(cmd.Path), err, out, stderr(err))
	}
	if err := json.Unmarshal(out, verdict); err != nil {
		return fmt.Errorf("%s: %w\n%s%s", filepath.Base(cmd.Path), err, out, stderr(err))
	}
	return nil
}

// invalid asks kubectl-validate about all files below a folder and returns what is
// wrong with each, by path. A file that is valid has an entry without text.
func (t *tools) invalid(ctx context.Context, folder string) (map[string]string, error) {
	var answer map[string][]struct{ Status, Message string }
	cmd := exec.CommandContext(ctx, t.kubectlValidate, "--version="+kubernetes, "--local-crds="+t.crds, "--output=json", folder)
	if err := judged(cmd, &answer); err != nil {
		return nil, err
	}
	found := map[string]string{}
	for path, documents := range answer {
		var faults []string
		for _, d := range documents {
			if d.Status != "Success" {
				faults = append(faults, strings.TrimPrefix(d.Message, ` "" is invalid: `))
			}
		}
		if len(documents) == 0 {
			faults = append(faults, "there is no object")
		}
		found[path] = strings.Join(faults, "; ")
	}
	return found, nil
}

// critical is a fault that kube-score calls so.
type critical struct{ kind, name, check, summary string }

func (c critical) String() string {
	return fmt.Sprintf("%s %s: %s: %s", c.kind, c.name, c.check, c.summary)
}

const gradeCritical = 1

// criticals asks kube-score about the objects of one file, which may depend on each other.
func (t *tools) criticals(ctx context.Context, file string) ([]critical, error) {
	var answer []struct {
		TypeMeta   struct{ Kind string } `json:"type_meta"`
		ObjectMeta struct{ Name string } `json:"object_meta"`
		Checks     []struct {
			Check    struct{ ID string }
			Grade    int
			Skipped  bool
			Comments []struct{ Path, Summary string }
		}
	}
	cmd := exec.CommandContext(ctx, t.kubeScore, "score", "--kubernetes-version=v"+kubernetes, "--disable-ignore-checks-annotations",
		"--output-format=json", file)
	if err := judged(cmd, &answer); err != nil {
		return nil, err
	}
	if len(answer) == 0 {
		return nil, fmt.Errorf("kube-score: no object in %s", file)
	}
	var found []critical
	for _, o := range answer {
		for _, c := range o.Checks {
			if c.Skipped || c.Grade > gradeCritical {
				continue
			}
			for _, comment := range c.Comments {
				found = append(found, critical{o.TypeMeta.Kind, o.ObjectMeta.Name, c.Check.ID, comment.Summary})
			}
			if len(c.Comments) == 0 {
				found = append(found, critical{o.TypeMeta.Kind, o.ObjectMeta.Name, c.Check.ID, ""})
			}
		}
	}
	return found, nil
}

// stderr is what a program that failed wrote.
func stderr(err error) []byte {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.Stderr
	}
	return nil
}
