// Package protos writes the proto files that an annotated contract imports, for
// projects that have no schema registry at hand.
//
// Third-party files come out of Go modules with pinned versions and checksums,
// so the module proxy and the go command do the distribution and the checking.
// The annotations themselves are part of this program.
package protos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

// annotations is where a contract imports our own file from.
const annotations = "svc/v1/svc.proto"

// source is a folder of a pinned module and the files to take out of it.
type source struct {
	module, folder string
	// files are named as contracts import them.
	files []string
}

// sources is everything that contracts import from others. The rest of these
// modules stays away: istio.io/api's folder as a whole does not compile.
var sources = []source{
	{"istio.io/api", "common-protos", []string{
		"google/api/annotations.proto",
		"google/api/http.proto",
		"google/rpc/code.proto",
		"google/rpc/error_details.proto",
		"google/rpc/status.proto",
	}},
	{"github.com/bufbuild/protovalidate", "proto/protovalidate", []string{
		"buf/validate/validate.proto",
	}},
}

// Options say what Write writes, and where.
type Options struct {
	// Dir is the root of the files: google/api/http.proto is written below it.
	// It is made if it does not exist.
	Dir string

	// ThirdPartyOnly leaves out svc/v1/svc.proto, for a project that has it from
	// elsewhere.
	ThirdPartyOnly bool

	// Verbose names every file that is written, not only how many.
	Verbose bool
}

// Write brings the files below Dir up to date and reports on out. A file that
// is right already keeps its time stamp; one with other content is replaced,
// since these paths belong to the packages that define them; no other file is
// touched. It needs the go command, and the network where the module cache does
// not have the modules.
func Write(ctx context.Context, o Options, out io.Writer) error {
	files, err := collect(ctx, o)
	if err != nil {
		return err
	}
	written := 0
	for _, f := range files {
		target := filepath.Join(o.Dir, filepath.FromSlash(f.path))
		changed, err := replace(target, f.content)
		if err != nil {
			return err
		}
		if !changed {
			continue
		}
		written++
		if o.Verbose {
			fmt.Fprintln(out, target)
		}
	}
	if written == 0 {
		fmt.Fprintf(out, "%s: all %d proto files are up to date\n", o.Dir, len(files))
	} else {
		fmt.Fprintf(out, "%s: wrote %d of %d proto files\n", o.Dir, written, len(files))
	}
	return nil
}

// file is a proto file under the path by which it is imported.
type file struct {
	path    string
	content []byte
}

// collect reads all files before the first is written.
func collect(ctx context.Context, o Options) ([]file, error) {
	dirs, err := download(ctx)
	if err != nil {
		return nil, err
	}
	var files []file
	var faults []error
	for _, s := range sources {
		for _, name := range s.files {
			content, err := os.ReadFile(filepath.Join(dirs[s.module], filepath.FromSlash(path.Join(s.folder, name))))
			faults = append(faults, err)
			files = append(files, file{name, content})
		}
	}
	if !o.ThirdPartyOnly {
		files = append(files, file{annotations, []byte(svcv1.Source)})
	}
	return files, errors.Join(faults...)
}
