module github.com/protosvc/protosvc/tools/protos

go 1.26
