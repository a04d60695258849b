// The modules that the corpora come from. They are read, never compiled, so
// there is no package here and go mod tidy would empty the list. To change a
// pin: go mod edit -require=MODULE@VERSION, then go mod download MODULE@VERSION;
// without the version it changes other pins, too.
module github.com/protosvc/protosvc/test/corpora/pins

go 1.26.0

require (
	cel.dev/expr v0.25.3
	connectrpc.com/connect v1.21.1
	connectrpc.com/otelconnect v0.11.0
	github.com/bazelbuild/remote-apis v0.0.0-20230411132548-35aee1c4a425
	github.com/bufbuild/protocompile v0.14.1
	github.com/bufbuild/protovalidate v1.2.2
	github.com/cometbft/cometbft v0.38.12
	github.com/container-storage-interface/spec v1.13.0
	github.com/containerd/containerd/api v1.12.0
	github.com/cortexproject/cortex v1.21.1
	github.com/cosmos/cosmos-proto v1.0.0-beta.5
	github.com/cosmos/cosmos-sdk v0.50.10
	github.com/cosmos/gogoproto v1.7.0
	github.com/dapr/dapr v1.14.4
	github.com/envoyproxy/protoc-gen-validate v1.3.3
	github.com/failsafe-go/failsafe-go v0.9.8
	github.com/fullstorydev/grpcurl v1.9.4
	github.com/go-kratos/kratos/v2 v2.8.3
	github.com/gogo/protobuf v1.3.2
	github.com/google/gnostic-models v0.7.1
	github.com/google/trillian v1.8.0
	github.com/grafana/pyroscope/api v1.6.0
	github.com/grpc-ecosystem/grpc-gateway/v2 v2.33.0
	github.com/hashicorp/consul/proto-public v0.6.2
	github.com/hashicorp/go-plugin v1.8.0
	github.com/hashicorp/vault/sdk v0.25.1
	github.com/jaegertracing/jaeger-idl v0.14.0
	github.com/jhump/protoreflect v1.18.1
	github.com/lightningnetwork/lnd v0.18.3-beta.rc3
	github.com/livekit/protocol v1.54.0
	github.com/livekit/psrpc v0.8.2
	github.com/moby/buildkit v0.34.2
	github.com/openconfig/gnmi v0.14.1
	github.com/osrg/gobgp/v4 v4.8.0
	github.com/pingcap/kvproto v0.0.0-20260608025309-50b863799195
	github.com/planetscale/vtprotobuf v0.6.1-0.20240319094008-0393e58bdf10
	github.com/qdrant/go-client v1.17.1
	github.com/seaweedfs/seaweedfs v0.0.0-20261109003541-7506e5f91cd6
	github.com/sigstore/fulcio v1.8.8
	github.com/spiffe/go-spiffe/v2 v2.9.0
	github.com/tonistiigi/fsutil v0.0.0-20261103091533-a72de9dcf763
	github.com/twitchtv/twirp v8.1.3+incompatible
	github.com/weaviate/weaviate v1.35.2
	go.etcd.io/etcd/api/v3 v3.7.3
	google.golang.org/grpc v1.85.0
	google.golang.org/grpc/examples v0.0.0-20260825154716-030ee8becb20
	google.golang.org/protobuf v1.36.12
	istio.io/api v1.31.1
	k8s.io/cri-api v0.37.2
	k8s.io/kms v0.36.3
	k8s.io/kubelet v0.36.3
	vitess.io/vitess v0.24.4
)
