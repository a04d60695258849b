package project

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// newShop writes the files of a project with a user service and perhaps others, but
// for go.sum.
func newShop(t *testing.T, others ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range rendered(t, append([]string{"user"}, others...)...) {
		write(t, dir, name, text)
	}
	return dir
}

// TestAdd: what is added is what init would have written, and nothing else changes.
func TestAdd(t *testing.T) {
	for _, c := range []struct {
		calls  string
		others []string
		like   []string
	}{
		{"user", []string{"order"}, []string{"user", "line-item"}},
		{"", nil, []string{"line-item"}},
	} {
		dir := newShop(t, c.others...)
		before := names(t, dir)
		var out bytes.Buffer
		if err := Add(AddOptions{Service: "line-item", Calls: c.calls, Dir: dir}, &out); err != nil {
			t.Fatal(err)
		}
		added := []string{
			"internal/demo/line_item_story.go", "proto/line_item/v1/line_item.proto", "services/lineitem/handler.go",
			"services/lineitem/handler_test.go", "services/lineitem/migrations/0001_init.sql", "services/lineitem/store.go",
		}
		if got := names(t, dir); !slices.Equal(got, slices.Sorted(slices.Values(append(before, added...)))) {
			t.Errorf("files %q, want %q and %q", got, before, added)
		}
		want := rendered(t, c.like...)
		for name, text := range rendered(t, append([]string{"user"}, c.others...)...) {
			want[name] = text
		}
		for _, name := range names(t, dir) {
			if got := content(t, dir, name); got != want[name] {
				t.Errorf("%s with --calls=%q is not that of init:\n%s", name, c.calls, got)
			}
		}
		for _, name := range added {
			if !strings.Contains(out.String(), "wrote "+name+"\n") {
				t.Errorf("said %q, want %s", &out, name)
			}
		}
	}
}

// TestAddWithoutOutbox: a callee that init has written alone is called at once only, as
// is one whose Activate RPC is no longer safe to repeat.
func TestAddWithoutOutbox(t *testing.T) {
	contract, handler := "proto/line_item/v1/line_item.proto", "services/lineitem/handler.go"
	called := newShop(t, "order")
	replaced(t, "proto/user/v1/user.proto", "    option idempotency_level = IDEMPOTENT;\n", "")(called)
	for name, dir := range map[string]string{"alone": newShop(t), "not idempotent": called} {
		if err := Add(AddOptions{Service: "line-item", Calls: "user", Dir: dir}, &bytes.Buffer{}); err != nil {
			t.Fatal(err)
		}
		text := content(t, dir, contract) + content(t, dir, handler)
		if !strings.Contains(text, "calls:") || strings.Contains(text, "defers:") || strings.Contains(text, "outbox") {
			t.Errorf("%s: line-item has\n%s", name, text)
		}
	}
}

// TestAddWithoutDemo: a project may have removed its demo.
func TestAddWithoutDemo(t *testing.T) {
	dir := newShop(t)
	if err := os.RemoveAll(filepath.Join(dir, "internal")); err != nil {
		t.Fatal(err)
	}
	if err := Add(AddOptions{Service: "order", Dir: dir}, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "internal")); !os.IsNotExist(err) {
		t.Errorf("the demo is back (%v)", err)
	}
	content(t, dir, "services/order/handler.go")
}

// TestAddRefusals checks that nothing is written, and why.
func TestAddRefusals(t *testing.T) {
	notProject := func(fault string) string {
		return `folder "{dir}" is not a project of init, it ` + fault + ` (want the folder of one: --dir=DIR names another)`
	}
	for _, c := range []struct {
		name           string
		service, calls string
		change         func(dir string) // nil: none
		want           string
	}{
		{"no module", "order", "", without(t, "go.mod"), notProject("has no go.mod")},
		{"no template", "order", "", without(t, "buf.gen.yaml"), notProject("has no buf.gen.yaml")},
		{"another root", "order", "", replaced(t, "buf.gen.yaml", "root=example.com/shop/generated", "root=example.com/shop/gen"),
			notProject("has no root=example.com/shop/generated in buf.gen.yaml")},
		{"other handlers", "order", "", replaced(t, "buf.gen.yaml", "handlers=example.com/shop/services", "handlers=example.com/shop/services/x"),
			notProject("has no handlers=example.com/shop/services in buf.gen.yaml")},
		{"bad name", "Order", "", nil, `service name "Order" is not words of two or more lower-case letters, joined by "-", 54 characters at most (want for example "line-item")`},
		{"taken", "user", "", nil, "service name \"user\" is taken: proto/user is there\nservice name \"user\" is taken: services/user is there\nservice name \"user\" is taken: internal/demo/user_story.go is there"},
		{"same package", "line-item", "", with(t, "services/lineitem/x.go"), `service name "line-item" is taken: services/lineitem is there`},
		{"deployed from elsewhere", "order", "", with(t, "generated/deploy/order/config.yaml"), `service name "order" is taken: generated/deploy/order is there`},
		{"bad callee", "order", "go", nil, `service name "go" cannot be used: it is a keyword of Go (want for example "line-item")`},
		{"itself", "order", "order", nil, `service "order" cannot call itself`},
		{"no callee", "order", "payment", nil, `service "payment" cannot be called: there is no proto/payment/v1/payment.proto`},
		{"another Get", "order", "user", replaced(t, "proto/user/v1/user.proto", "rpc GetUser(", "rpc ReadUser("),
			`service "user" cannot be called: proto/user/v1/user.proto has no rpc GetUser, as init writes it (leave out --calls, and write the call yourself)`},
		{"another error", "order", "user", replaced(t, "proto/user/v1/user.proto", `errors: "USER_ERROR_NOT_FOUND"`, `errors: "USER_ERROR_GONE"`),
			`service "user" cannot be called: proto/user/v1/user.proto has no error USER_ERROR_NOT_FOUND, as init writes it (leave out --calls, and write the call yourself)`},
		{"another field", "order", "user", replaced(t, "proto/user/v1/user.proto", `string user_id`, `string id`),
			`service "user" cannot be called: proto/user/v1/user.proto has no field user_id, as init writes it (leave out --calls, and write the call yourself)`},
		{"a file in the way", "order", "", func(dir string) {
			without(t, "services/user")(dir)
			without(t, "services")(dir)
			with(t, "services")(dir)
		},
			"lstat {dir}/services/order: not a directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := newShop(t)
			if c.change != nil {
				c.change(dir)
			}
			before := names(t, dir)
			err := Add(AddOptions{Service: c.service, Calls: c.calls, Dir: dir}, &bytes.Buffer{})
			if want := strings.ReplaceAll(c.want, "{dir}", dir); err == nil || err.Error() != want {
				t.Errorf("got\n%v\nwant\n%s", err, want)
			}
			if after := names(t, dir); !slices.Equal(after, before) {
				t.Errorf("files %q, before %q", after, before)
			}
		})
	}
}

// with, without and replaced change a project.
func with(t *testing.T, name string) func(string) {
	return func(dir string) { write(t, dir, name, "mine\n") }
}

func without(t *testing.T, name string) func(string) {
	return func(dir string) {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func replaced(t *testing.T, name, from, to string) func(string) {
	return func(dir string) { write(t, dir, name, strings.ReplaceAll(content(t, dir, name), from, to)) }
}
