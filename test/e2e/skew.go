package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	userv1 "github.com/protosvc/protosvc/generated/user/v1"
)

// skewNumber is that of the scenarios that need the next version of two services, whose
// images have a tag of their own.
const (
	skewNumber = 7
	nextTag    = "next"
)

var nextServices = []string{"user", "order"}

// edits make the next version of the sources: users have a nickname, and those of one name
// are suspended.
var edits = []struct{ file, old, new string }{
	{"proto/user/v1/user.proto", "  google.protobuf.Timestamp update_time = 6;\n",
		"  google.protobuf.Timestamp update_time = 6;\n  // What the user is called by friends.\n  string nickname = 7;\n"},
	{"proto/user/v1/user.proto", "  // The page token was not made by this service.\n",
		"  // The user is suspended.\n  USER_ERROR_SUSPENDED = 5 [(svc.v1.error) = {\n    code: FAILED_PRECONDITION\n    message: \"user {user_id} is suspended\"\n  }];\n" +
			"  // The page token was not made by this service.\n"},
	{"services/user/store.go", "		DisplayName: r.displayName,\n", "		DisplayName: r.displayName,\n		Nickname:    r.displayName,\n"},
	{"services/user/read.go", "	return &userv1.GetUserResponse{User: r.message()}, nil\n",
		"	if r.displayName == \"" + suspended + "\" {\n		return nil, userv1svc.NewUserErrorSuspended(userID)\n	}\n	return &userv1.GetUserResponse{User: r.message()}, nil\n"},
}

// suspended is the name of a user whom the next version refuses.
const suspended = "Suspended"

// nextImages writes the images of the next version of user and order, out of a copy of the
// sources that is changed and generated anew.
func nextImages(ctx context.Context, root, images string) error {
	folder, err := os.MkdirTemp("", "e2e-next-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if err := command(ctx, root, "bash", "-c", `git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from=- | tar --extract --directory="$0" && cp -r bin third_party "$0"`, folder); err != nil {
		return err
	}
	for _, e := range edits {
		path := filepath.Join(folder, e.file)
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if n := bytes.Count(text, []byte(e.old)); n != 1 {
			return fmt.Errorf("%s says %q %d times, want once", e.file, e.old, n)
		}
		if err := os.WriteFile(path, bytes.Replace(text, []byte(e.old), []byte(e.new), 1), 0o644); err != nil {
			return err
		}
	}
	if err := command(ctx, folder, "make", "--silent", "generate"); err != nil {
		return err
	}
	return script(ctx, folder, "images", append([]string{"--archive", images, nextTag}, nextServices...)...)
}

// skew rolls a service to its next version, looks at what is new, and rolls it back.
func skew(service string) func(context.Context, *flagship) error {
	return func(ctx context.Context, f *flagship) error {
		if err := f.setImage(ctx, service, nextTag); err != nil {
			return err
		}
		return errors.Join(f.suspended(ctx, service == "user"), f.setImage(ctx, service, "dev"))
	}
}

func (f *flagship) setImage(ctx context.Context, service, tag string) error {
	container := map[string]any{"name": service, "image": service + ":" + tag}
	if err := f.merge(ctx, deployment(service), template(map[string]any{"spec": map[string]any{"containers": []any{container}}})); err != nil {
		return err
	}
	return f.settled(ctx, service)
}

// suspended orders for a user whom the next version of user refuses with an error that
// order has not heard of. Callers get what every error is that a contract does not map,
// INTERNAL, and nothing of its text. The present version takes the order.
func (f *flagship) suspended(ctx context.Context, next bool) error {
	client := newHTTPClient(false)
	var created userv1.CreateUserResponse
	body := fmt.Sprintf(`{"email": "%d@example.com", "displayName": %q}`, time.Now().UnixNano(), suspended)
	if outcome, detail := post(ctx, client, address("user")+"/v1/users", []byte(body), &created); outcome != "OK" {
		return fmt.Errorf("a user is not created: %s %s", outcome, detail)
	}
	l := &load{userID: created.GetUser().GetUserId()}
	var c call
	l.overHTTP(ctx, client, &c)
	if next && (c.outcome != strconv.Itoa(http.StatusInternalServerError) || !strings.Contains(c.detail, `"INTERNAL"`) || strings.Contains(c.detail, "suspended")) {
		return fmt.Errorf("an order for a suspended user ends with %s %s, want INTERNAL", c.outcome, c.detail)
	}
	if !next && !c.ok() {
		return fmt.Errorf("an order ends with %s %s, want OK", c.outcome, c.detail)
	}
	return nil
}
