package config

import (
	"bytes"
	"net/url"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
)

// hidden stands in a dump for what it may not show.
const hidden = "***"

// Dump returns the effective configuration as YAML, in the order of the
// declarations; [Load] can read it again, but for the secrets. Unset messages and
// optional fields are left out.
//
// Fields of the message with the option debug_redact are "***", maps with their
// keys, and so are
// fields of the struct with the tag `secret:"true"`, except that of a URL with a
// host all but the password is shown. The password of any other URL is hidden
// too. Empty strings and zeros are shown as such.
func Dump(settings any, message proto.Message) []byte {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	// Neither can fail: the tree is made here and the buffer takes everything.
	_ = encoder.Encode(dump(newRoot(settings, message)))
	_ = encoder.Close()
	return out.Bytes()
}

func dump(p place) *yaml.Node {
	switch p := p.(type) {
	case table: // of a secret one the keys are secret, too
		if p.secrecy() == private && len(p.keys()) > 0 {
			return node(ofString(hidden))
		}
		return dumpMapping(p)
	case mapping:
		return dumpMapping(p)
	case list:
		return dumpList(p)
	case variant:
		return dump(p.held())
	case value:
		return node(redact(p.get(), p.secrecy()))
	}
	return nil
}

func dumpMapping(m mapping) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, key := range m.keys() {
		if child, err := m.child(key); err == nil && child.present() {
			n.Content = append(n.Content, node(redact(ofString(key), public)), dump(child))
		}
	}
	return n
}

func dumpList(l list) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode}
	for _, item := range l.items() {
		n.Content = append(n.Content, dump(item))
	}
	return n
}

// node lets the library write strings, because it knows which ones need quotes:
// without them Norway's "no" is false for many a reader.
func node(s scalar) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: s.tag, Value: s.text}
	if s.tag == tagString {
		_ = n.Encode(s.text) // a string can always be written
	}
	return n
}

// redact hides what the secrecy demands, and passwords everywhere.
func redact(s scalar, secret secrecy) scalar {
	address, isURL := hidePassword(s.text)
	switch {
	case s.text == "" || s.text == "0" && s.tag == tagInt: // as good as unset
		return s
	case secret == private, secret == masked && !isURL:
		return ofString(hidden)
	case isURL:
		return ofString(address)
	case credentials.MatchString(s.text):
		return ofString(hidden)
	}
	return s
}

// credentials finds passwords in what is no URL for [url.Parse], but one for a
// database or a person: a list of hosts, a bare percent sign, "host=db password=x".
var credentials = regexp.MustCompile(`://\S*@|(?i:password)\s*=\s*\S`)

// hidePassword returns a URL without the passwords of user and query, and
// whether text is a URL with a host.
func hidePassword(text string) (string, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return "", false
	}
	query := hideParameters(u.RawQuery)
	if _, set := u.User.Password(); !set && query == u.RawQuery {
		return text, true
	}
	u.RawQuery = query
	return strings.Replace(u.Redacted(), ":xxxxx@", ":"+hidden+"@", 1), true
}

// hideParameters hides the values of password, sslpassword and the like.
func hideParameters(query string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		key, _, _ := strings.Cut(pair, "=")
		if strings.Contains(strings.ToLower(key), "password") {
			pairs[i] = key + "=" + hidden
		}
	}
	return strings.Join(pairs, "&")
}
