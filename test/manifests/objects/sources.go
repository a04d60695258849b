package objects

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// migrations is the case of the golden files whose service applies its migrations by
// a Job, which no service of the flagship does.
const (
	migrations     = "protoc-gen-svc/testdata/service_migrations.txtar"
	migrationsFile = "want/deploy/mover/k8s/migration-job.yaml"
)

// MigrationsAlone is the name of the rendering that has nothing but that Job.
const MigrationsAlone = "migrations"

// migrationJob renders the Job of that case, with the tag of the image set as the
// kustomization of a service does.
func migrationJob(root string) (*Rendering, error) {
	archive, err := txtar.ParseFile(filepath.Join(root, migrations))
	if err != nil {
		return nil, err
	}
	for _, f := range archive.Files {
		if f.Name != migrationsFile {
			continue
		}
		fsys := filesys.MakeFsInMemory()
		if err := fsys.WriteFile("/job.yaml", f.Data); err != nil {
			return nil, err
		}
		if err := fsys.WriteFile("/kustomization.yaml", []byte("resources: [job.yaml]\nimages: [{name: mover, newTag: dev}]\n")); err != nil {
			return nil, err
		}
		return render(fsys, "/", MigrationsAlone)
	}
	return nil, fmt.Errorf("%s has no %s", migrations, migrationsFile)
}

// operator is the module whose zip has the CustomResourceDefinitions. It is taken at
// the version of its types, which the project decodes monitors with.
const (
	operator      = "github.com/prometheus-operator/prometheus-operator"
	operatorTypes = operator + "/pkg/apis/monitoring"
	operatorCRDs  = "example/prometheus-operator-crd"
)

// Definitions is the folder of the definitions of prometheus-operator, in the module
// cache. Root is that of the repository.
func Definitions(ctx context.Context, root string) (string, error) {
	version, err := Output(ctx, filepath.Join(root, "test"), "go", "list", "-m", "-f", "{{.Version}}", operatorTypes)
	if err != nil {
		return "", err
	}
	// In a folder without a go.mod, so that none of the project learns of the module.
	answer, err := Output(ctx, os.TempDir(), "go", "mod", "download", "-json", operator+"@"+version)
	if err != nil {
		return "", err
	}
	var module struct{ Dir string }
	if err := json.Unmarshal([]byte(answer), &module); err != nil {
		return "", fmt.Errorf("go mod download: %w", err)
	}
	return filepath.Join(module.Dir, operatorCRDs), nil
}

func Output(ctx context.Context, folder, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = folder
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		err = fmt.Errorf("%w\n%s", err, exit.Stderr)
	}
	if err != nil {
		return "", fmt.Errorf("%v: %w", cmd, err)
	}
	return strings.TrimSpace(string(out)), nil
}
