package user_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	userv1 "github.com/protosvc/protosvc/generated/user/v1"
	"github.com/protosvc/protosvc/generated/user/v1/userv1svc"
	"github.com/protosvc/protosvc/services/user"
	svcerrors "github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svctest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const absent = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"

// fixture is a running user service and a client of it.
type fixture struct {
	*svctest.Service
	userv1.UserServiceClient
	ctx context.Context
	t   *testing.T
}

func start(t *testing.T) fixture {
	t.Parallel()
	s := svctest.Start(t, userv1svc.UserService(user.New, user.Migrations))
	// Servers take the deadline of a caller, and else the contract's, which a busy machine misses.
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return fixture{s, userv1.NewUserServiceClient(s.Conn), ctx, t}
}

// create makes a user.
func (f fixture) create(email, name string) *userv1.User {
	f.t.Helper()
	res, err := f.CreateUser(f.ctx, &userv1.CreateUserRequest{Email: email, DisplayName: name})
	if err != nil {
		f.t.Fatal(err)
	}
	return res.GetUser()
}

// get returns a user as stored.
func (f fixture) get(id string) *userv1.User {
	f.t.Helper()
	res, err := f.GetUser(f.ctx, &userv1.GetUserRequest{UserId: id})
	if err != nil {
		f.t.Fatal(err)
	}
	return res.GetUser()
}

// deactivate deactivates a user.
func (f fixture) deactivate(id string) *userv1.User {
	f.t.Helper()
	res, err := f.DeactivateUser(f.ctx, &userv1.DeactivateUserRequest{UserId: id})
	if err != nil {
		f.t.Fatal(err)
	}
	return res.GetUser()
}

func TestCreateAndGet(t *testing.T) {
	f := start(t)
	u := f.create("Ada@Example.org", "Ada")
	if u.GetEmail() != "Ada@Example.org" || u.GetDisplayName() != "Ada" || u.GetState() != userv1.UserState_USER_STATE_ACTIVE {
		f.t.Errorf("created %v", u)
	}
	if !proto.Equal(u, f.get(u.GetUserId())) {
		f.t.Errorf("GetUser = %v, CreateUser gave %v", f.get(u.GetUserId()), u)
	}
	if got := f.get(strings.ToUpper(u.GetUserId())); !proto.Equal(u, got) {
		f.t.Errorf("GetUser by upper-case id = %v, want %v", got, u)
	}
	if got := f.Metric("users_created_total"); got != 1 {
		f.t.Errorf("users_created_total = %v, want 1", got)
	}
}

func TestAnEmailAddressBelongsToOneUser(t *testing.T) {
	f := start(t)
	f.create("ada@example.org", "Ada")
	_, err := f.CreateUser(f.ctx, &userv1.CreateUserRequest{Email: "ADA@example.org", DisplayName: "Eve"})
	if !errors.Is(err, userv1svc.UserErrorEmailTaken) {
		f.t.Errorf("second user of the address: %v, want %v", err, userv1svc.UserErrorEmailTaken)
	}
	if got := f.Metric("users_created_total"); got != 1 {
		f.t.Errorf("users_created_total = %v, want 1", got)
	}
}

func TestConcurrentUsersOfOneAddress(t *testing.T) {
	f := start(t)
	var group sync.WaitGroup
	results := make(chan error, 50)
	for range cap(results) {
		group.Go(func() {
			_, err := f.CreateUser(f.ctx, &userv1.CreateUserRequest{Email: "ada@example.org", DisplayName: "Ada"})
			results <- err
		})
	}
	group.Wait()
	close(results)
	created := 0
	for err := range results {
		switch {
		case err == nil:
			created++
		case !errors.Is(err, userv1svc.UserErrorEmailTaken):
			f.t.Errorf("CreateUser: %v", err)
		}
	}
	if created != 1 {
		f.t.Errorf("%d users were created, want 1", created)
	}
}

func TestUpdateHonoursTheMask(t *testing.T) {
	f := start(t)
	for i, test := range []struct{ paths, email, name string }{
		{"", "", ""},
		{"email", "new@example.org", ""},
		{"display_name", "", "New"},
		{"email,display_name", "new@example.org", "New"},
	} {
		u := f.create(fmt.Sprintf("old%d@example.org", i), "Old")
		paths := strings.FieldsFunc(test.paths, func(r rune) bool { return r == ',' })
		address := fmt.Sprintf("new%d@example.org", i)
		res, err := f.UpdateUser(f.ctx, &userv1.UpdateUserRequest{
			UserId: u.GetUserId(), Email: address, DisplayName: "New", UpdateMask: &fieldmaskpb.FieldMask{Paths: paths},
		})
		if err != nil {
			f.t.Fatal(err)
		}
		got := res.GetUser()
		wantEmail, wantName := u.GetEmail(), cmp.Or(test.name, "Old")
		if test.email != "" {
			wantEmail = address
		}
		if got.GetEmail() != wantEmail || got.GetDisplayName() != wantName {
			f.t.Errorf("mask %q: user is %v, want %s and %s", test.paths, got, wantEmail, wantName)
		}
		if !proto.Equal(got, f.get(u.GetUserId())) {
			f.t.Errorf("mask %q: answered %v, stored %v", test.paths, got, f.get(u.GetUserId()))
		}
	}
}

func TestUpdateRefusals(t *testing.T) {
	f := start(t)
	ada, gone := f.create("ada@example.org", "Ada"), f.create("gone@example.org", "Gone")
	f.create("bob@example.org", "Bob")
	f.deactivate(gone.GetUserId())
	for _, test := range []struct {
		id, email string
		want      error
	}{
		{absent, "x@example.org", userv1svc.UserErrorNotFound},
		{gone.GetUserId(), "x@example.org", userv1svc.UserErrorDeactivated},
		{ada.GetUserId(), "BOB@example.org", userv1svc.UserErrorEmailTaken},
		{ada.GetUserId(), "ADA@example.org", nil},
		{ada.GetUserId(), "", svcerrors.InvalidRequest},
	} {
		_, err := f.UpdateUser(f.ctx, &userv1.UpdateUserRequest{
			UserId: test.id, Email: test.email, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"email"}},
		})
		if !errors.Is(err, test.want) {
			f.t.Errorf("UpdateUser(%s, %q): %v, want %v", test.id, test.email, err, test.want)
		}
	}
}

// A field in the mask must not be empty, and the answer names each that is.
func TestUpdateNamesEmptyFields(t *testing.T) {
	f := start(t)
	u := f.create("ada@example.org", "Ada")
	_, err := f.UpdateUser(f.ctx, &userv1.UpdateUserRequest{
		UserId: u.GetUserId(), UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"display_name", "email"}},
	})
	var fields []string
	for _, detail := range status.Convert(err).Details() {
		if bad, ok := detail.(*errdetails.BadRequest); ok {
			for _, v := range bad.GetFieldViolations() {
				fields = append(fields, v.GetField())
			}
		}
	}
	if got := strings.Join(fields, " "); status.Code(err) != codes.InvalidArgument || got != "display_name email" {
		t.Errorf("UpdateUser with empty fields: %v, violations of %q", err, got)
	}
	if got := f.get(u.GetUserId()); !proto.Equal(got, u) {
		t.Errorf("user is %v after a refused update, was %v", got, u)
	}
}

func TestDeactivate(t *testing.T) {
	f := start(t)
	u := f.create("ada@example.org", "Ada")
	first := f.deactivate(u.GetUserId())
	if first.GetState() != userv1.UserState_USER_STATE_DEACTIVATED {
		f.t.Errorf("deactivated user is %v", first)
	}
	if second := f.deactivate(u.GetUserId()); !proto.Equal(first, second) {
		f.t.Errorf("deactivated again: %v, first: %v", second, first)
	}
	_, err := f.DeactivateUser(f.ctx, &userv1.DeactivateUserRequest{UserId: absent})
	if !errors.Is(err, userv1svc.UserErrorNotFound) {
		f.t.Errorf("DeactivateUser of nobody: %v", err)
	}
	_, err = f.GetUser(f.ctx, &userv1.GetUserRequest{UserId: absent})
	if !errors.Is(err, userv1svc.UserErrorNotFound) {
		f.t.Errorf("GetUser of nobody: %v", err)
	}
}

func TestListPagesAreWholeAndSorted(t *testing.T) {
	f := start(t)
	var want []string
	for i := range 7 {
		want = append(want, f.create(fmt.Sprintf("u%d@example.org", i), "U").GetUserId())
	}
	for _, size := range []int32{0, 1, 3, 7, 8} {
		got, pages := f.list(size)
		if strings.Join(got, " ") != strings.Join(want, " ") {
			f.t.Errorf("pages of %d: users %v, want %v", size, got, want)
		}
		if size > 0 && pages != (7+int(size)-1)/int(size) {
			f.t.Errorf("pages of %d: %d pages", size, pages)
		}
	}
}

// list reads all pages and returns the ids of the users.
func (f fixture) list(size int32) (ids []string, pages int) {
	for token := ""; ; {
		res, err := f.ListUsers(f.ctx, &userv1.ListUsersRequest{PageSize: size, PageToken: token})
		if err != nil {
			f.t.Fatal(err)
		}
		pages++
		for _, u := range res.GetUsers() {
			ids = append(ids, u.GetUserId())
		}
		if token = res.GetNextPageToken(); token == "" {
			return ids, pages
		}
	}
}

func TestListRefusesForeignTokens(t *testing.T) {
	f := start(t)
	_, err := f.ListUsers(f.ctx, &userv1.ListUsersRequest{PageToken: "bm90IG91cnM"})
	if !errors.Is(err, userv1svc.UserErrorPageTokenInvalid) {
		t.Errorf("ListUsers: %v, want %v", err, userv1svc.UserErrorPageTokenInvalid)
	}
}
