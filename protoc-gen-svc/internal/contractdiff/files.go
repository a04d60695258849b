package contractdiff

import (
	"maps"
	"slices"

	"google.golang.org/protobuf/types/pluginpb"
)

// File is an output that differs: code, configuration, manifest.
type File struct {
	// Path is below the output folder, Change "new", "changed" or "gone".
	Path   string `json:"path"`
	Change string `json:"change"`
}

// files compares what this version of the plugin makes of both contracts.
func (o Options) files(before, after []*pluginpb.CodeGeneratorRequest) ([]File, error) {
	olds, err := o.texts(before)
	if err != nil {
		return nil, err
	}
	news, err := o.texts(after)
	if err != nil {
		return nil, err
	}
	all := maps.Clone(olds)
	maps.Copy(all, news)
	var out []File
	for _, path := range slices.Sorted(maps.Keys(all)) {
		old, was := olds[path]
		text, is := news[path]
		switch {
		case !was:
			out = append(out, File{path, "new"})
		case !is:
			out = append(out, File{path, "gone"})
		case old != text:
			out = append(out, File{path, "changed"})
		}
	}
	return out, nil
}

func (o Options) texts(requests []*pluginpb.CodeGeneratorRequest) (map[string]string, error) {
	texts := map[string]string{}
	for _, r := range requests {
		files, err := o.Generate(r)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			texts[f.Path] = f.Text
		}
	}
	return texts, nil
}
