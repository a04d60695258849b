package emit

import "testing"

func TestHTML(t *testing.T) {
	html := plainFuncs["html"].(func(any) string)
	tests := map[string]string{
		"plain text, äöü 世界":                    "plain text, äöü 世界",
		`<script>alert("x")</script>`:           "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;",
		"' onfocus='x":                          "&#39; onfocus=&#39;x",
		"a && b &lt; c":                         "a &amp;&amp; b &amp;lt; c",
		"two\nlines\u2028, \x00nul, \u202eback": "two lines , nul, back",
		"]]> --> {{.}}":                         "]]&gt; --&gt; {{.}}",
	}
	for in, want := range tests {
		if got := html(in); got != want {
			t.Errorf("html(%q) = %q, want %q", in, got, want)
		}
	}
}
