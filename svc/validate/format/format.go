// Package format tells whether strings have the formats that the rules of
// buf.validate name. It needs nothing but the string, so that protoc-gen-svc can
// hold the defaults of a contract against the same functions that the generated
// validators call.
package format

// Missed returns what is said of a value without the format of a rule: the rule's
// identifier, and a message. The want names the format, "a valid email address". An
// empty value has an identifier of its own, "string.email_empty", as in buf.validate.
func Missed(value, rule, want string) (identifier, message string) {
	if value == "" {
		return rule + "_empty", "value is empty, which is not " + want
	}
	return rule, "must be " + want
}
