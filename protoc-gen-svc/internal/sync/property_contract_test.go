package sync

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/pluginpb"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

// What contracts are made of. Some names are those of files that the go command
// treats in its own way, of what handler packages declare, or of predeclared
// things.
var (
	rpcNames = []string{"Ship", "Order", "Cancel", "Watch", "ImportAll", "New", "RunTest", "BuildWindows", "Migrations", "Error", "Handler", "ShipIt"}
	messages = []string{"Parcel", "Basket", "Receipt", "Note", empty}
	kinds    = []string{"unary", "server_stream", "client_stream", "bidi_stream"}
)

const empty = "google.protobuf.Empty"

// shop is a contract that changes: the service shop.v1.ShopService.
type shop struct {
	database bool
	rpcs     []shopRPC
}

type shopRPC struct{ name, kind, in, out string }

func (r shopRPC) String() string { return fmt.Sprintf("%s %s(%s) %s", r.kind, r.name, r.in, r.out) }

// change is one way in which contracts change. It says what it did; "" is nothing.
type change func(*shop, *rand.Rand) string

var contractChanges = []change{addRPC, addRPC, addRPC, removeRPC, renameRPC, changeKind, changeRequest, changeResponse, toggleDatabase, turnRPCs}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// newName is a name that no RPC has, "" if there is none.
func (s *shop) newName(r *rand.Rand) string {
	free := slices.DeleteFunc(slices.Clone(rpcNames), func(name string) bool {
		return slices.ContainsFunc(s.rpcs, func(rpc shopRPC) bool { return rpc.name == name })
	})
	if len(free) == 0 {
		return ""
	}
	return pick(r, free)
}

func addRPC(s *shop, r *rand.Rand) string {
	name := s.newName(r)
	if name == "" {
		return ""
	}
	rpc := shopRPC{name, pick(r, kinds), pick(r, messages), pick(r, messages)}
	s.rpcs = slices.Insert(s.rpcs, r.IntN(len(s.rpcs)+1), rpc)
	return "add " + rpc.String()
}

// existing changes an RPC, if there is one.
func existing(do func(*shopRPC, *rand.Rand) string) change {
	return func(s *shop, r *rand.Rand) string {
		if len(s.rpcs) == 0 {
			return ""
		}
		return do(&s.rpcs[r.IntN(len(s.rpcs))], r)
	}
}

func removeRPC(s *shop, r *rand.Rand) string {
	if len(s.rpcs) == 0 {
		return ""
	}
	i := r.IntN(len(s.rpcs))
	removed := s.rpcs[i]
	s.rpcs = slices.Delete(s.rpcs, i, i+1)
	return "remove " + removed.String()
}

func renameRPC(s *shop, r *rand.Rand) string {
	name := s.newName(r)
	if name == "" {
		return ""
	}
	return existing(func(rpc *shopRPC, _ *rand.Rand) string {
		old := rpc.name
		rpc.name = name
		return "rename " + old + " to " + name
	})(s, r)
}

var (
	changeKind = existing(func(rpc *shopRPC, r *rand.Rand) string {
		rpc.kind = pick(r, kinds)
		return "make it " + rpc.String()
	})
	changeRequest = existing(func(rpc *shopRPC, r *rand.Rand) string {
		rpc.in = pick(r, messages)
		return "make it " + rpc.String()
	})
	changeResponse = existing(func(rpc *shopRPC, r *rand.Rand) string {
		rpc.out = pick(r, messages)
		return "make it " + rpc.String()
	})
)

func toggleDatabase(s *shop, _ *rand.Rand) string {
	s.database = !s.database
	return fmt.Sprintf("database: %t", s.database)
}

func turnRPCs(s *shop, _ *rand.Rand) string {
	slices.Reverse(s.rpcs)
	return "turn the order of the RPCs"
}

// request is what buf would send a plugin. A message that no RPC has any more is
// gone.
func (s *shop) request(parameter string) *pluginpb.CodeGeneratorRequest {
	file := &descriptorpb.FileDescriptorProto{
		Name:    proto.String("shop/v1/shop.proto"),
		Package: proto.String("shop.v1"),
		Syntax:  proto.String("proto3"),
		Options: &descriptorpb.FileOptions{GoPackage: proto.String(goPackage + ";shopv1")},
	}
	service := &descriptorpb.ServiceDescriptorProto{Name: proto.String("ShopService"), Options: &descriptorpb.ServiceOptions{}}
	if s.database {
		proto.SetExtension(service.Options, svcv1.E_Service, &svcv1.Service{Database: &svcv1.Database{}})
	}
	used := map[string]bool{}
	for _, r := range s.rpcs {
		service.Method = append(service.Method, &descriptorpb.MethodDescriptorProto{
			Name: proto.String(r.name), InputType: typeOf(r.in, used), OutputType: typeOf(r.out, used),
			ClientStreaming: proto.Bool(r.kind == "client_stream" || r.kind == "bidi_stream"),
			ServerStreaming: proto.Bool(r.kind == "server_stream" || r.kind == "bidi_stream"),
		})
	}
	request := &pluginpb.CodeGeneratorRequest{Parameter: &parameter, FileToGenerate: []string{file.GetName()}}
	if used[empty] {
		imported := protodesc.ToFileDescriptorProto(emptypb.File_google_protobuf_empty_proto)
		file.Dependency = []string{imported.GetName()}
		request.ProtoFile = append(request.ProtoFile, imported)
		delete(used, empty)
	}
	for _, name := range slices.Sorted(maps.Keys(used)) {
		file.MessageType = append(file.MessageType, &descriptorpb.DescriptorProto{Name: proto.String(name)})
	}
	file.Service = []*descriptorpb.ServiceDescriptorProto{service}
	request.ProtoFile = append(request.ProtoFile, file)
	return request
}

func typeOf(message string, used map[string]bool) *string {
	used[message] = true
	if message == empty {
		return proto.String("." + empty)
	}
	return proto.String(".shop.v1." + message)
}
