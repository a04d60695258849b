// Package grpcurl_test calls a running service as an operator does who has no
// generated code: with grpcurl, which learns everything through reflection.
package grpcurl_test

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/protosvc/protosvc/generated/user/v1/userv1svc"
	"github.com/protosvc/protosvc/services/user"
	"github.com/protosvc/protosvc/svctest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const absent = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"

func TestReflection(t *testing.T) {
	address := start(t)

	services := grpcurl(t, "-plaintext", address, "list")
	for _, want := range []string{"user.v1.UserService", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"} {
		if !strings.Contains(services, want+"\n") {
			t.Errorf("list does not have %s:\n%s", want, services)
		}
	}
	for symbol, want := range map[string]string{
		"user.v1.UserService":    "rpc GetUser ( .user.v1.GetUserRequest ) returns ( .user.v1.GetUserResponse )",
		"user.v1.GetUserRequest": "string user_id = 1;",
		"user.v1.UserError":      "USER_ERROR_NOT_FOUND = 1;",
		"user.v1.Config":         "int32 default_page_size = 1;",
	} {
		if got := grpcurl(t, "-plaintext", address, "describe", symbol); !strings.Contains(got, want) {
			t.Errorf("describe %s does not have %q:\n%s", symbol, want, got)
		}
	}
	if got := grpcurl(t, "-plaintext", "-d", `{"service":"user.v1.UserService"}`, address, "grpc.health.v1.Health/Check"); !strings.Contains(got, `"SERVING"`) {
		t.Errorf("health is %s", got)
	}
}

func TestCall(t *testing.T) {
	address := start(t)
	created := call(t, address, "CreateUser", `{"email":"ada@example.com","displayName":"Ada"}`)
	id := created.User.UserID
	if id == "" || created.User.State != "USER_STATE_ACTIVE" {
		t.Fatalf("CreateUser returned %+v", created.User)
	}
	if got := call(t, address, "GetUser", `{"user_id":"`+id+`"}`); got.User != created.User {
		t.Errorf("GetUser returned %+v, want %+v", got.User, created.User)
	}
}

// TestErrors checks that an error of the contract and a broken rule can be read
// with their details.
func TestErrors(t *testing.T) {
	address := start(t)
	tests := []struct {
		name, request string
		want          []string
	}{
		{
			"not found", `{"user_id":"` + absent + `"}`,
			[]string{"Code: NotFound", "user " + absent + " does not exist", "google.rpc.ErrorInfo", "USER_ERROR_NOT_FOUND", "user.shop"},
		},
		{
			"not valid", `{"user_id":"7"}`,
			[]string{"Code: InvalidArgument", "google.rpc.BadRequest", "user_id", "string.uuid"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			output, err := try(t, "-plaintext", "-d", test.request, address, "user.v1.UserService/GetUser")
			if err == nil {
				t.Errorf("the call succeeds:\n%s", output)
			}
			for _, want := range test.want {
				if !strings.Contains(output, want) {
					t.Errorf("no %q in:\n%s", want, output)
				}
			}
		})
	}
}

// response is what both RPCs return, as JSON.
type response struct {
	User struct{ UserID, Email, State string }
}

// call makes a call that must succeed.
func call(t *testing.T, address, method, request string) (r response) {
	t.Helper()
	output := grpcurl(t, "-plaintext", "-d", request, address, "user.v1.UserService/"+method)
	if err := json.Unmarshal([]byte(output), &r); err != nil {
		t.Fatalf("%s returned %q: %v", method, output, err)
	}
	return r
}

// grpcurl runs a command that must succeed and returns what it prints.
func grpcurl(t *testing.T, args ...string) string {
	t.Helper()
	output, err := try(t, args...)
	if err != nil {
		t.Fatalf("grpcurl %s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return output
}

func try(t *testing.T, args ...string) (string, error) {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), "go", append([]string{"tool", "grpcurl"}, args...)...).CombinedOutput()
	return string(output), err
}

// start runs the user service and returns the address of its gRPC port.
func start(t *testing.T) string {
	t.Helper()
	return strings.TrimPrefix(svctest.Start(t, userv1svc.UserService(user.New, user.Migrations)).Target, "passthrough:///")
}
