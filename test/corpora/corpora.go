package main

// A corpus is a set of proto files that belong together, as one project would
// compile them.
type corpus struct {
	// name is the folder of its outputs, and the last part of their import path.
	name string
	// from are the files that are generated.
	from []source
	// options are for other plugins than ours, by the plugin's name: what the
	// project itself needs to generate its files.
	options map[string]string
}

// source is a folder of a pinned module, or of this one when module is empty.
type source struct {
	module string
	dir    string
	// as is the folder in which the project's imports expect the files.
	as string
	// only are the files to take, relative to dir; empty takes all below it.
	only []string
	// except are the files to leave out, each for a reason given beside it.
	except []string
}

// corpora are all that is tried. The first block are projects whose protos are
// written for themselves, the second are the tests of other generators, the
// third are our own: what none of the others has.
var corpora = []corpus{
	{name: "buildkit", from: []source{
		{module: "github.com/moby/buildkit", as: "github.com/moby/buildkit"},
		{module: "github.com/tonistiigi/fsutil", dir: "types", as: "github.com/tonistiigi/fsutil/types"},
		{module: "github.com/planetscale/vtprotobuf", dir: "include"},
	}},
	{name: "cel", from: []source{{module: "cel.dev/expr", dir: "proto"}}},
	{name: "cri", from: []source{{module: "k8s.io/cri-api", dir: "pkg/apis"}}},
	{name: "csi", from: []source{{module: "github.com/container-storage-interface/spec"}}},
	{name: "containerd", from: []source{{module: "github.com/containerd/containerd/api"}}},
	{name: "cometbft", from: []source{
		{module: "github.com/cometbft/cometbft", dir: "proto"},
		{module: "github.com/cosmos/gogoproto", only: []string{"gogoproto/gogo.proto"}},
	}},
	{name: "cortex", from: []source{
		{module: "github.com/cortexproject/cortex", as: "github.com/cortexproject/cortex", except: []string{
			// They import files of modules that are not pinned: weaveworks/common,
			// prometheus/alertmanager and thanos.
			"pkg/alertmanager/alertmanagerpb/alertmanager.proto", "pkg/alertmanager/alertspb/alerts.proto",
			"pkg/frontend/v1/frontendv1pb/frontend.proto", "pkg/frontend/v2/frontendv2pb/frontend.proto",
			"pkg/scheduler/schedulerpb/scheduler.proto", "pkg/storegateway/storegatewaypb/gateway.proto",
		}},
		{module: "github.com/cosmos/gogoproto", only: []string{"gogoproto/gogo.proto"}},
	}},
	{name: "cosmos", from: []source{
		{module: "github.com/cosmos/cosmos-sdk", dir: "proto"},
		{module: "github.com/cosmos/cosmos-proto", dir: "proto"},
		{module: "github.com/cosmos/gogoproto", only: []string{"gogoproto/gogo.proto"}},
	}},
	{name: "consul", from: []source{{module: "github.com/hashicorp/consul/proto-public"}}},
	{name: "dapr", from: []source{{module: "github.com/dapr/dapr", dir: "dapr", as: "dapr"}}},
	{name: "etcd", from: []source{
		{module: "go.etcd.io/etcd/api/v3", as: "etcd/api", except: []string{"etcdserverpb/etcdserver.proto", "etcdserverpb/raft_internal.proto", "etcdserverpb/rpc.proto"}},
		// This folder's files import each other without it.
		{module: "go.etcd.io/etcd/api/v3", dir: "etcdserverpb"},
		openapiOptions,
	}},
	{name: "fulcio", from: []source{{module: "github.com/sigstore/fulcio", only: []string{"fulcio.proto", "fulcio_legacy.proto"}}, openapiOptions}},
	{name: "gnmi", from: []source{
		{module: "github.com/openconfig/gnmi", dir: "proto", as: "github.com/openconfig/gnmi/proto"},
		{module: "github.com/openconfig/gnmi", dir: "testing/fake/proto", as: "github.com/openconfig/gnmi/testing/fake/proto"},
	}},
	{name: "gobgp", from: []source{{module: "github.com/osrg/gobgp/v4", dir: "proto"}}},
	{name: "grpc", from: []source{
		{module: "google.golang.org/grpc", dir: "interop/stress/grpc_testing", as: "stress"},
		{module: "google.golang.org/grpc", dir: "profiling", as: "profiling"},
	}},
	{name: "grpc-examples", from: []source{{module: "google.golang.org/grpc/examples"}}},
	{name: "go-plugin", from: []source{{module: "github.com/hashicorp/go-plugin", dir: "internal/plugin"}, {module: "github.com/hashicorp/go-plugin", dir: "examples/streaming/proto"}}},
	{name: "grpcurl", from: []source{{module: "github.com/fullstorydev/grpcurl", dir: "internal/testing", only: []string{"example.proto", "example2.proto"}}}},
	{name: "grpcurl-test", from: []source{{module: "github.com/fullstorydev/grpcurl", dir: "internal/testing", only: []string{"test.proto"}}}},
	{name: "istio", from: []source{{module: "istio.io/api", only: []string{"security/v1alpha1/ca.proto"}}}},
	{name: "jaeger", from: []source{
		{module: "github.com/jaegertracing/jaeger-idl", dir: "proto", except: []string{
			// They import OTLP, which no pinned module has.
			"api_v3/query_service.proto", "storage/v2/trace_storage.proto",
			// They are below the folder from which they are imported.
			"api_v2/collector.proto", "api_v2/model.proto", "api_v2/query.proto", "api_v2/sampling.proto",
		}},
		{module: "github.com/jaegertracing/jaeger-idl", dir: "proto/api_v2"},
		{module: "github.com/cosmos/gogoproto", only: []string{"gogoproto/gogo.proto"}},
		{module: "github.com/google/gnostic-models", as: "gnostic", only: []string{"openapiv3/annotations.proto"}},
		{module: "github.com/google/gnostic-models", only: []string{"openapiv3/OpenAPIv3.proto"}},
	}},
	{name: "kms-v1beta1", from: []source{{module: "k8s.io/kms", dir: "apis/v1beta1"}}},
	{name: "kms-v2", from: []source{{module: "k8s.io/kms", dir: "apis/v2"}}},
	{name: "kratos", from: []source{{module: "github.com/go-kratos/kratos/v2", dir: "api"}, {module: "github.com/go-kratos/kratos/v2", dir: "internal/testdata/helloworld"}}},
	{name: "kubelet", from: []source{{module: "k8s.io/kubelet", dir: "pkg/apis", except: []string{
		// The same names as in v1, one for each version of a plugin's socket.
		"pluginregistration/v1alpha1/api.proto", "pluginregistration/v1beta1/api.proto",
	}}}},
	{name: "livekit", from: []source{
		{module: "github.com/livekit/protocol", dir: "protobufs"},
		{module: "github.com/livekit/psrpc", dir: "protoc-gen-psrpc/options"},
	}},
	{name: "lnd", from: []source{{module: "github.com/lightningnetwork/lnd", dir: "lnrpc"}}},
	{name: "pyroscope", from: []source{{module: "github.com/grafana/pyroscope/api"}, {dir: "own/gnostic"}}},
	{name: "qdrant", from: []source{{module: "github.com/qdrant/go-client", dir: "internal/proto"}}},
	{name: "remote-apis", from: []source{{module: "github.com/bazelbuild/remote-apis"}, {dir: "own/longrunning"}}},
	{name: "seaweedfs", from: []source{{module: "github.com/seaweedfs/seaweedfs", dir: "weed/pb"}}},
	{name: "spiffe", from: []source{{module: "github.com/spiffe/go-spiffe/v2"}}},
	{name: "tikv", from: []source{
		{module: "github.com/pingcap/kvproto", dir: "proto"},
		{module: "github.com/pingcap/kvproto", dir: "include", only: []string{"gogoproto/gogo.proto", "eraftpb.proto", "rustproto.proto"}},
	}},
	{name: "trillian", from: []source{{module: "github.com/google/trillian", only: []string{"trillian.proto", "trillian_admin_api.proto", "trillian_log_api.proto", "quota/etcd/quotapb/quotapb.proto", "crypto/keyspb/keyspb.proto"}}}},
	{name: "vault", from: []source{{module: "github.com/hashicorp/vault/sdk", as: "sdk"}}},
	{name: "vitess", from: []source{{module: "vitess.io/vitess", dir: "proto"}}},
	{name: "weaviate", from: []source{
		// v0 is of another proto package, in the Go package of v1.
		{module: "github.com/weaviate/weaviate", dir: "grpc/proto", except: []string{"v0/batch.proto", "v0/search_get.proto", "v0/weaviate.proto"}},
		{module: "github.com/weaviate/weaviate", dir: "cluster/proto", as: "cluster/proto"},
		{module: "github.com/weaviate/weaviate", dir: "adapters/handlers/rest/clusterapi/grpc/protocol"},
	}},

	{name: "connect", from: []source{{module: "connectrpc.com/connect", dir: "internal/proto"}}},
	{name: "connect-plugin", from: []source{{module: "connectrpc.com/connect", dir: "cmd/protoc-gen-connect-go/internal/testdata"}}},
	{name: "connect-otel", from: []source{{module: "connectrpc.com/otelconnect", dir: "internal/proto"}}},
	{name: "failsafe", from: []source{{module: "github.com/failsafe-go/failsafe-go", dir: "internal/testutil/pbfixtures"}}},
	{name: "gateway", from: []source{
		// Code for the opaque API is a corpus of its own.
		{module: gateway, dir: "examples/internal", as: "examples/internal", except: []string{"proto/examplepb/opaque.proto"}},
		openapiOptions,
		{module: gateway, dir: "protoc-gen-openapiv3", as: "protoc-gen-openapiv3"},
	}},
	{name: "gateway-opaque", from: []source{{module: gateway, dir: "examples/internal", as: "examples/internal", only: []string{"proto/examplepb/opaque.proto", "proto/sub/message.proto"}}},
		options: map[string]string{
			"protoc-gen-go": "default_api_level=API_OPAQUE",
		}},
	{name: "gateway-runtime", from: []source{{module: gateway, dir: "runtime/internal/examplepb", as: "runtime/internal/examplepb"}}},
	{name: "gogo-issue", from: []source{
		{module: "github.com/gogo/protobuf", dir: "test/issue427"},
		{module: "github.com/gogo/protobuf", as: "github.com/gogo/protobuf", only: []string{"gogoproto/gogo.proto"}},
	}},
	{name: "gogo-plugin", from: []source{
		{module: "github.com/gogo/protobuf", dir: "protoc-gen-gogo/testdata/grpc"},
		{module: "github.com/gogo/protobuf", dir: "protoc-gen-gogo/testdata/deprecated"},
	}},
	{name: "grpc-reflection", from: []source{{module: "google.golang.org/grpc", dir: "reflection/grpc_testing", as: "reflection/grpc_testing"}}},
	{name: "grpc-old", from: []source{{module: "google.golang.org/grpc", dir: "testdata/grpc_testing_not_regenerated", as: "testdata/grpc_testing_not_regenerated"}}},
	{name: "protobuf", from: []source{{module: protobuf, dir: "internal/testprotos/test", as: "internal/testprotos/test"}, {module: protobuf, dir: "internal/testprotos/enums", as: "internal/testprotos/enums"}}},
	{name: "protobuf-features", from: []source{{module: protobuf, dir: "cmd/protoc-gen-go/testdata/featureresolution", as: "cmd/protoc-gen-go/testdata/featureresolution"}}},
	{name: "protobuf-retention", from: []source{{module: protobuf, dir: "cmd/protoc-gen-go/testdata/retention", as: "cmd/protoc-gen-go/testdata/retention"}}},
	{name: "protocompile", from: []source{{module: "github.com/bufbuild/protocompile", dir: "internal/testdata", only: []string{
		"desc_test1.proto", "desc_test_comments.proto", "desc_test_complex.proto", "desc_test_options.proto", "desc_test_proto3.proto",
		"desc_test2.proto", "nopkg/desc_test_nopkg.proto", "nopkg/desc_test_nopkg_new.proto", "pkg/desc_test_pkg.proto",
	}}}},
	{name: "protocompile-editions", from: []source{{module: "github.com/bufbuild/protocompile", dir: "internal/testdata/editions", only: []string{"features_with_overrides.proto"}}}},
	{name: "protoreflect", from: []source{{module: "github.com/jhump/protoreflect", dir: "internal/testprotos", only: []string{
		"desc_test1.proto", "grpc/dummy.proto", "grpc/test.proto",
		"nopkg/desc_test_nopkg.proto", "nopkg/desc_test_nopkg_new.proto", "pkg/desc_test_pkg.proto",
	}}}},
	{name: "protoc-gen-validate", from: []source{
		{module: "github.com/envoyproxy/protoc-gen-validate", dir: "java/pgv-java-grpc/src/test/proto"},
		{module: "github.com/envoyproxy/protoc-gen-validate", only: []string{"validate/validate.proto"}},
	}},
	{name: "rules-bytes", from: []source{rules("option_bytes_len")}},
	{name: "rules-enum", from: []source{rules("option_enum_disallow_values")}},
	{name: "twirp", from: []source{twirp("")}},
	{name: "twirp-empty", from: []source{twirp("empty_service")}},
	{name: "twirp-importer", from: []source{twirp("importable"), twirp("importer")}},
	{name: "twirp-importer-local", from: []source{twirp("importer_local")}},
	{name: "twirp-importmapping", from: []source{twirp("importmapping")}},
	{name: "twirp-json", from: []source{twirp("json_serialization")}},
	{name: "twirp-multiple", from: []source{twirp("multiple")}},
	{name: "twirp-no-package", from: []source{
		{module: "github.com/twitchtv/twirp", dir: "internal/twirptest/no_package_name", as: "no_package_name"},
		twirp("no_package_name_importer"),
	}},
	{name: "twirp-public", from: []source{{module: "github.com/twitchtv/twirp", dir: "internal/gen/typemap/testdata"}}},
	{name: "twirp-same-name", from: []source{twirp("service_method_same_name")}},
	{name: "twirp-snake", from: []source{twirp("snake_case_names")}},
	{name: "twirp-well-known", from: []source{twirp("google_protobuf_imports")}},

	{name: "own-editions", from: []source{{dir: "own/editions"}}},
	{name: "own-folders", from: []source{{dir: "own/folders"}}},
	{name: "own-imports", from: []source{{dir: "own/imports"}}},
	{name: "own-layout", from: []source{{dir: "own/layout"}}},
	{name: "own-names", from: []source{{dir: "own/names"}}},
	{name: "own-proto2", from: []source{{dir: "own/proto2"}}},
}

const (
	gateway  = "github.com/grpc-ecosystem/grpc-gateway/v2"
	protobuf = "google.golang.org/protobuf"
)

// openapiOptions are annotations that files of others import.
var openapiOptions = source{module: gateway, dir: "protoc-gen-openapiv2", as: "protoc-gen-openapiv2"}

// wellKnown are what most files import and nobody generates: their Go packages
// are libraries. Every corpus has them.
var wellKnown = []source{
	{module: "istio.io/api", dir: "common-protos", only: []string{
		"google/api/annotations.proto", "google/api/client.proto", "google/api/field_behavior.proto",
		"google/api/http.proto", "google/api/httpbody.proto", "google/api/launch_stage.proto",
		"google/rpc/code.proto", "google/rpc/error_details.proto", "google/rpc/status.proto",
	}},
	{module: protobuf, dir: "src", only: []string{"google/protobuf/go_features.proto"}},
	{module: "github.com/bufbuild/protovalidate", dir: "proto/protovalidate"},
	// The one that no pinned module has: its options, declared anew.
	{dir: "own/wellknown"},
}

// rules is one of protovalidate's examples, each of which stands for itself. Those
// with CEL are refused: a rule must not get lost.
func rules(name string) source {
	return source{module: "github.com/bufbuild/protovalidate", dir: "examples", only: []string{name + ".proto"}}
}

// twirp is a folder of twirp's tests, each of which is compiled for itself.
func twirp(dir string) source {
	s := source{module: "github.com/twitchtv/twirp", dir: "internal/twirptest/" + dir}
	if dir == "" {
		s.only = []string{"service.proto"}
	}
	return s
}
