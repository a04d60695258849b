package page

import "testing"

func TestReplace(t *testing.T) {
	const (
		head = "# Benchmarks\n\n"
		one  = "<!-- Written by make one. DO NOT EDIT. -->\n\n## One\n\n"
		two  = "<!-- Written by make two. DO NOT EDIT. -->\n\n## Two\n\n"
	)
	for _, c := range []struct{ name, page, command, text, want string }{
		{"first", head, "make one", "## One\n\n1\n", head + one + "1\n"},
		{"another", head + one + "1\n", "make two", "## Two\n\n2\n", head + one + "1\n\n" + two + "2\n"},
		{"again", head + one + "1\n\n" + two + "2\n", "make one", "## One\n\n3\n", head + one + "3\n\n" + two + "2\n"},
		{"again, the last", head + one + "1\n\n" + two + "2\n", "make two", "## Two\n\n3", head + one + "1\n\n" + two + "3\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := replace(c.page, c.command, c.text); got != c.want {
				t.Errorf("got %q\nwant %q", got, c.want)
			}
		})
	}
}
