package model

import (
	"strings"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/compiler/protogen"

	"github.com/protosvc/protosvc/internal/rpccode"
	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

// readErrors reads the annotated enums of a file, whether or not the file is
// generated: another file's methods may return its errors.
func (b *builder) readErrors(f *protogen.File) {
	for _, e := range allEnums(f) {
		annotated := e.Desc.Options().ProtoReflect().Has(svcv1.E_Errors.TypeDescriptor())
		for _, v := range e.Values {
			annotated = annotated || v.Desc.Options().ProtoReflect().Has(svcv1.E_Error.TypeDescriptor())
		}
		if annotated {
			b.enums[e.Desc.FullName()] = b.errorEnum(f, e)
		}
	}
}

func allEnums(f *protogen.File) []*protogen.Enum {
	enums := append([]*protogen.Enum(nil), f.Enums...)
	var walk func([]*protogen.Message)
	walk = func(messages []*protogen.Message) {
		for _, m := range messages {
			enums = append(enums, m.Enums...)
			walk(m.Messages)
		}
	}
	walk(f.Messages)
	return enums
}

func (b *builder) errorEnum(f *protogen.File, e *protogen.Enum) *ErrorEnum {
	options := extension[*svcv1.Errors](e.Desc, svcv1.E_Errors)
	enum := &ErrorEnum{
		FullName: string(e.Desc.FullName()),
		GoName:   e.GoIdent.GoName,
		Source:   f.Desc.Path(),
		Snake:    snake(e.GoIdent.GoName),
		Domain:   orDefault(options.GetDomain(), string(e.Desc.FullName())),
		Comment:  commentOf(e.Comments),
		Package:  packageOf(b.options.Root, f.Desc.Package()),
		Generate: f.Generate,
		proto:    e,
	}
	prefix := strings.ToUpper(snake(string(e.Desc.Name()))) + "_"
	for _, v := range e.Values {
		if v.Desc.Number() == 0 {
			b.refuseZeroError(v)
			continue
		}
		one := b.errorValue(enum, v, prefix)
		enum.Errors = append(enum.Errors, one)
		b.errors[v.Desc.FullName()] = one
	}
	return enum
}

func (b *builder) refuseZeroError(v *protogen.EnumValue) {
	if v.Desc.Options().ProtoReflect().Has(svcv1.E_Error.TypeDescriptor()) {
		b.fault(Origin{desc: v.Desc, ext: svcv1.E_Error}, errorZero)
	}
}

func (b *builder) errorValue(enum *ErrorEnum, v *protogen.EnumValue, prefix string) *Error {
	options := extension[*svcv1.Error](v.Desc, svcv1.E_Error)
	at := Origin{desc: v.Desc, ext: svcv1.E_Error}
	reason := string(v.Desc.Name())
	short := strings.TrimPrefix(reason, prefix)
	e := &Error{
		Enum:       enum,
		Reason:     reason,
		GoName:     enum.GoName + camel(short),
		New:        "New" + enum.GoName + camel(short),
		Comment:    commentOf(v.Comments),
		Deprecated: deprecated(v.Desc),
		Code:       codes.Code(options.GetCode()).String(),
		HTTP:       orDefault(options.GetHttpStatus(), uint32(rpccode.HTTP(codes.Code(options.GetCode())))),
		Written:    orDefault(options.GetMessage(), strings.Join(words(short), " ")),
		Retryable:  options.GetRetryable(),
		proto:      v,
	}
	if _, known := code.Code_name[int32(options.GetCode())]; !known || options.GetCode() == code.Code_OK {
		b.fault(at.in("code"), errorCode)
	}
	if h := options.GetHttpStatus(); h != 0 && (h < 400 || h > 599) {
		b.fault(at.in("http_status"), errorHTTP, h)
	}
	e.Message = untyped(e.Written)
	e.Parameters = b.parameters(at.in("message"), e.Written)
	b.answers(at, e, options)
	return e
}
