go tool protoc-gen-svc protos third_party
buf generate
go mod tidy
go build ./...
