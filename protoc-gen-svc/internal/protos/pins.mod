// The modules that third-party protos come from. Named so, and not go.mod, to be
// embedded; the command writes it as go.mod next to pins.sum, as go.sum, and so
// has the go command check what it downloads.
module pins

go 1.26

require (
	github.com/bufbuild/protovalidate v1.2.2
	istio.io/api v1.31.1
)
