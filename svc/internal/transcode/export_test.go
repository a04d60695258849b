package transcode

import "google.golang.org/protobuf/reflect/protoreflect"

// ReadByTable fills a message from a body without protojson, or gives up.
func (p *Plan) ReadByTable(m protoreflect.Message, sent []byte) bool { return p.body.read(m, sent) }
