package model

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

// system is a run over services of one method each, which calls those of others.
func system(t *testing.T, calls [][]int) *protogen.Plugin {
	t.Helper()
	r := &pluginpb.CodeGeneratorRequest{}
	var add func(protoreflect.FileDescriptor)
	seen := map[string]bool{}
	add = func(f protoreflect.FileDescriptor) {
		if seen[f.Path()] {
			return
		}
		seen[f.Path()] = true
		for i := range f.Imports().Len() {
			add(f.Imports().Get(i).FileDescriptor)
		}
		r.ProtoFile = append(r.ProtoFile, protodesc.ToFileDescriptorProto(f))
	}
	add(svcv1.File_svc_v1_svc_proto)
	for i, callees := range calls {
		method := &svcv1.Method{}
		for _, c := range callees {
			method.Calls = append(method.Calls, fmt.Sprintf("s%d.v1.S/Do", c))
		}
		options := &descriptorpb.MethodOptions{}
		proto.SetExtension(options, svcv1.E_Method, method)
		path := fmt.Sprintf("s%d/v1/s.proto", i)
		r.FileToGenerate = append(r.FileToGenerate, path)
		r.ProtoFile = append(r.ProtoFile, &descriptorpb.FileDescriptorProto{
			Name:        &path,
			Package:     proto.String(fmt.Sprintf("s%d.v1", i)),
			Syntax:      proto.String("proto3"),
			Dependency:  []string{"svc/v1/svc.proto"},
			Options:     &descriptorpb.FileOptions{GoPackage: proto.String(fmt.Sprintf("example.com/generated/s%d/v1;s%dv1", i, i))},
			MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M")}},
			Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("S"), Method: []*descriptorpb.MethodDescriptorProto{{
				Name: proto.String("Do"), InputType: proto.String(fmt.Sprintf(".s%d.v1.M", i)), OutputType: proto.String(fmt.Sprintf(".s%d.v1.M", i)), Options: options,
			}}}},
		})
	}
	p, err := protogen.Options{}.New(r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestLinear counts how often calls are looked at, in systems of shapes in which
// something that walks paths would not end.
func TestLinear(t *testing.T) {
	const n = 2000
	shapes := map[string]struct {
		calls  func(i int) []int // of a service
		faults int
	}{
		"chain": {func(i int) []int { return slices.DeleteFunc([]int{i + 1}, func(c int) bool { return c == n }) }, 0},
		"layers": {func(i int) []int {
			const width = n / 20
			below := (i/width + 1) * width
			if below >= n {
				return nil
			}
			return []int{below + i%width, below + (i+1)%width, below + (i+7)%width}
		}, 0},
		"dense": {func(i int) (calls []int) { // 20,000 edges less those at the end
			for c := i + 1; c <= i+10 && c < n; c++ {
				calls = append(calls, c)
			}
			return calls
		}, 0},
		"star": {func(i int) (calls []int) {
			for c := 1; i == 0 && c < n; c++ {
				calls = append(calls, c)
			}
			return calls
		}, 0},
		"everybody calls one": {func(i int) []int {
			if i == 0 {
				return nil
			}
			return []int{0}
		}, 0},
		// As calls, and as packages that import each other.
		"one cycle":          {func(i int) []int { return []int{(i + 1) % n} }, 2},
		"cycles that meet":   {func(i int) []int { return []int{(i + 1) % n, (i + 2) % n, (i + 3) % n} }, 2},
		"cycles of two each": {func(i int) []int { return []int{i ^ 1} }, n},
	}
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			var calls [][]int
			edges := 0
			for i := range n {
				calls = append(calls, shape.calls(i))
				edges += len(calls[i])
			}
			_, g, faults := build(system(t, calls), Options{Root: "example.com/generated", System: true})
			if most := 10 * edges; g.looks > most {
				t.Errorf("%d looks at %d calls, want %d at the most", g.looks, edges, most)
			}
			got := 0
			if err := faults.Err(); err != nil {
				got = strings.Count(err.Error(), "\n")
			}
			if got != shape.faults {
				t.Errorf("%d faults, want %d:\n%.2000v", got, shape.faults, faults.Err())
			}
		})
	}
}

// TestCycles compares with what a search from every node finds.
func TestCycles(t *testing.T) {
	graphs := map[string]map[int][]int{
		"none":                     {1: {2, 3}, 2: {3}},
		"itself":                   {1: {1, 2}, 2: {3}},
		"two":                      {1: {2}, 2: {1}},
		"two that do not meet":     {1: {2}, 2: {1, 3}, 3: {4}, 4: {3}},
		"two that meet":            {1: {2}, 2: {1, 3}, 3: {2}},
		"one behind a long way":    {1: {2, 5}, 2: {3}, 3: {4}, 4: {2}, 5: {4}},
		"a way into one and out":   {1: {2}, 2: {3}, 3: {4, 2}, 4: {5}},
		"nothing":                  {},
		"the same node from above": {1: {2, 3}, 2: {4}, 3: {4}, 4: {5}, 5: {}},
	}
	for name, edges := range graphs {
		t.Run(name, func(t *testing.T) {
			next := func(n int) []int { return edges[n] }
			var reaches func(from, to int, seen map[int]bool) bool
			reaches = func(from, to int, seen map[int]bool) bool {
				for _, m := range edges[from] {
					if m == to {
						return true
					}
					if !seen[m] {
						seen[m] = true
						if reaches(m, to, seen) {
							return true
						}
					}
				}
				return false
			}
			nodes := []int{1, 2, 3, 4, 5}
			group := cycles(nodes, next)
			for _, a := range nodes {
				if on := reaches(a, a, map[int]bool{}); on != (group[a] != 0) {
					t.Errorf("%d is on a cycle: %t, and in group %d", a, on, group[a])
				}
				for _, b := range nodes {
					if a == b || group[a] == 0 || group[b] == 0 {
						continue
					}
					together := reaches(a, b, map[int]bool{}) && reaches(b, a, map[int]bool{})
					if together != (group[a] == group[b]) {
						t.Errorf("%d and %d are on cycles that meet: %t, and in groups %d and %d", a, b, together, group[a], group[b])
					}
					if together {
						way := route(a, b, group, next)
						for i := range len(way) - 1 {
							if !slices.Contains(edges[way[i]], way[i+1]) {
								t.Errorf("there is no way %v", way)
							}
						}
					}
				}
			}
		})
	}
}
