package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/protosvc/protosvc/internal/testreadme"
	"github.com/protosvc/protosvc/test/guide"
)

// part is what the newcomer does in one go.
type part struct {
	name string
	do   func(*day) error
}

// parts are the day. From "guide" on, all is done in the project that init makes.
var parts = []part{
	{"README: in your own module", ownModule},
	{"README: init, make demo, make test", start},
	{"guide: a third service, its contract", page("1-contract.md")},
	{"guide: its handler", page("2-handler.md")},
	{"guide: its errors", page("3-errors.md")},
	{"guide: its database", page("4-database.md")},
	{"guide: a fourth service, which calls the third", page("5-calling.md")},
	{"guide: its tests", page("7-tests.md")},
	{"tests of all on SQLite", test},
	{"tests of all on PostgreSQL", testPostgres},
	{"run, calls over HTTP/JSON and gRPC", call},
	{"a changed timeout, in diff", change},
}

// module is that of the project, in place of the guide's.
const module, guideModule = "example.com/shop", "example.com/notes"

// ownModule follows README.md and docs/own-module.md, with this checkout in place of a
// release. The contract, to which README.md links, is that of test/outside.
func ownModule(d *day) error {
	m, err := testreadme.ReadOwnModule(d.root)
	if err != nil {
		return err
	}
	if err := d.enter("stock"); err != nil {
		return err
	}
	const contract = "proto/stock/v1/stock.proto"
	text, err := os.ReadFile(filepath.Join(d.root, "test/outside/testdata/stock", contract))
	if err != nil {
		return err
	}
	for _, do := range []func() error{
		func() error { return d.typed(m.Begin) },
		func() error { return d.write(guide.Block{File: contract, Text: string(text)}) },
		func() error { return d.typed(m.Generate) },
		func() error { return d.write(guide.Block{File: "buf.gen.yaml", Language: "diff", Text: m.Edit}) },
		func() error { return d.typed(m.Handlers) },
	} {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// start makes the project, by the command of README.md but with the checkout.
func start(d *day) error {
	s, err := testreadme.Find(filepath.Join(d.root, "README.md"), "Start a project of your own")
	if err != nil {
		return err
	}
	commands, err := s.Block("sh", " init "+module)
	if err != nil {
		return err
	}
	_, arguments, _ := strings.Cut(commands, " init ")
	arguments, _, _ = strings.Cut(arguments, "\n")
	d.dir = d.root
	if err := d.typed(fmt.Sprintf("go run ./protoc-gen-svc init %s --dir=%s\n", arguments, filepath.Join(d.folder, "shop"))); err != nil {
		return err
	}
	if err := d.enter("shop"); err != nil {
		return err
	}
	return d.console(`$ make demo
…
All as promised.
$ make test
…
ok example.com/shop/services/order …
ok example.com/shop/services/user …
`)
}

// page follows a page of the guide. The first one finds the service that init would have
// made.
func page(name string) func(*day) error {
	return func(d *day) error {
		if name == "1-contract.md" {
			if err := d.typed("go tool protoc-gen-svc add note\n"); err != nil {
				return err
			}
		}
		return d.follow(name, func(guide.Command) bool { return true })
	}
}

// results are what tests of all services print.
const results = `…
ok example.com/shop/services/note …
ok example.com/shop/services/order …
ok example.com/shop/services/task …
ok example.com/shop/services/user …
`

func test(d *day) error { return d.console("$ make test\n" + results) }

// testPostgres has a server, of which the newcomer knows the URL.
func testPostgres(d *day) error {
	server := filepath.Join(d.root, "scripts/with-postgres")
	return d.console("$ " + server + ` bash -c 'SVCTEST_POSTGRES_URL=$PROTOSVC_TEST_POSTGRES_URL make test-postgres'
` + results)
}

// call starts the services and makes the calls of page 8, and the like by gRPC. That page
// has two services and says where they listen; here there are four, and make run says so.
func call(d *day) error {
	stop, err := d.serve()
	if err != nil {
		return err
	}
	err = d.follow("8-running.md", func(c guide.Command) bool { return strings.Contains(c.Line, "curl ") })
	if err == nil {
		err = d.console(calls)
	}
	if stopped := stop(); err == nil {
		err = stopped
	}
	return err
}

// calls have the addresses of page 8. The task service answers an error of the note
// service with one of its own, the same over both protocols.
const calls = `$ grpcurl -plaintext -d '{"request_id": "9073926b-929f-41c2-abc9-fad77ae3e8eb", "display_name": "Bread"}' localhost:9090 note.v1.NoteService/CreateNote
…
"displayName": "Bread",
…
$ curl -s localhost:8080/v1/notes
{"notes":[{"noteId":"…","displayName":"Bread","createTime":"…"}],"nextPageToken":""}
$ grpcurl -plaintext -d '{"request_id": "11111111-929f-41c2-abc9-fad77ae3e8eb", "display_name": "Shop", "note_id": "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"}' localhost:9190 task.v1.TaskService/CreateTask || echo $?
ERROR:
Code: NotFound
Message: note 017f22e2-79b0-7cc3-98c4-dc0c0c07398f does not exist
Details:
…
"domain": "task",
"metadata": {
"note_id": "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
},
"reason": "TASK_ERROR_NOTE_NOT_FOUND"
…
69
$ curl -s -w '%{http_code}\n' localhost:8180/v1/tasks -d '{"requestId": "11111111-929f-41c2-abc9-fad77ae3e8eb", "displayName": "Shop", "noteId": "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"}'
{"code":5,"message":"note 017f22e2-79b0-7cc3-98c4-dc0c0c07398f does not exist",…"reason":"TASK_ERROR_NOTE_NOT_FOUND","domain":"task","metadata":{"note_id":"017f22e2-79b0-7cc3-98c4-dc0c0c07398f"}…
404
`

// change commits what there is and has a call of the note service wait less long.
func change(d *day) error {
	if err := d.typed("git init -q -b main\ngit add -A\ngit commit -qm 'Take notes'\n"); err != nil {
		return err
	}
	err := d.write(guide.Block{File: "proto/note/v1/note.proto", Language: "diff", Text: "" +
		"-      timeout: \"2s\"\n+      timeout: \"1500ms\"\n"})
	if err != nil {
		return err
	}
	return d.console(`$ make diff
…
method note.v1.NoteService/CreateNote
look (svc.v1.method).timeout: 2s -> 1.5s calls that took longer are cut
…
0 breaking, 1 to look at, 0 safe
`)
}
