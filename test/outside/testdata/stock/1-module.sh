go mod init example.com/stock
go get github.com/protosvc/protosvc@latest
go mod edit \
    -tool=github.com/protosvc/protosvc/protoc-gen-svc \
    -tool=google.golang.org/protobuf/cmd/protoc-gen-go \
    -tool=google.golang.org/grpc/cmd/protoc-gen-go-grpc
go mod tidy
