// Package openapi_test holds the OpenAPI documents to a validator that others wrote: they
// are documents of OpenAPI, and what the flagship takes and answers obeys them.
package openapi_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi-validator/errors"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/protosvc/protosvc/generated/order/v1/orderv1svc"
	"github.com/protosvc/protosvc/generated/payment/v1/paymentv1svc"
	"github.com/protosvc/protosvc/generated/user/v1/userv1svc"
	"github.com/protosvc/protosvc/services/order"
	"github.com/protosvc/protosvc/services/payment"
	"github.com/protosvc/protosvc/services/user"
	"github.com/protosvc/protosvc/svctest"
)

const repository = "../../"

// judge is a validator of a document.
func judge(t *testing.T, text []byte) validator.Validator {
	t.Helper()
	doc, err := libopenapi.NewDocument(text)
	if err != nil {
		t.Fatal(err)
	}
	v, faults := validator.NewValidator(doc, config.WithFormatAssertions(), config.WithContentAssertions())
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return v
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(repository + name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestDocuments: those of the flagship and of the golden case are valid.
func TestDocuments(t *testing.T) {
	documents := map[string][]byte{}
	names, err := filepath.Glob(repository + "generated/*/*/*.openapi.json")
	if err != nil || len(names) != 3 {
		t.Fatalf("%q, %v", names, err)
	}
	for _, name := range names {
		documents[name] = read(t, strings.TrimPrefix(name, repository))
	}
	for _, f := range txtar.Parse(read(t, "protoc-gen-svc/testdata/openapi.txtar")).Files {
		if strings.HasSuffix(f.Name, ".openapi.json") {
			documents[f.Name] = f.Data
		}
	}
	if len(documents) != 4 {
		t.Fatal("the golden case has no document")
	}
	for name, text := range documents {
		if ok, faults := judge(t, text).ValidateDocument(); !ok {
			t.Errorf("%s: %s", name, words(faults))
		}
	}
}

func words(faults []*errors.ValidationError) string {
	var out []string
	for _, f := range faults {
		out = append(out, f.Error())
		for _, s := range f.SchemaValidationErrors {
			out = append(out, "  "+s.KeywordLocation+": "+s.Reason)
		}
	}
	return strings.Join(out, "\n")
}

// peer is a service with its document.
type peer struct {
	*svctest.Service
	judge validator.Validator
}

// call is a request, and what the service and the document make of it.
type call struct {
	verb, path, body string
	header           http.Header
}

// ask sends a request and wants its answer to be one of the document. It reports whether
// the document takes the request, and how the service answered.
func (p peer) ask(t *testing.T, c call) (taken string, status int, answer string) {
	t.Helper()
	request := func(base string) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), c.verb, base+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		for name, values := range c.header {
			r.Header[name] = values
		}
		if c.body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		return r
	}
	response, err := p.Client.Do(request(p.HTTP))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	response.Body = io.NopCloser(bytes.NewReader(text))
	if ok, faults := p.judge.ValidateHttpResponse(request(p.HTTP), response); !ok {
		t.Errorf("%s %s: the answer %d %s is not of the document: %s", c.verb, c.path, response.StatusCode, text, words(faults))
	}
	if ok, faults := p.judge.ValidateHttpRequest(request(p.HTTP)); !ok {
		taken = words(faults)
	}
	return taken, response.StatusCode, string(text)
}

// good wants a request that both take, and returns the id in the answer.
func (p peer) good(t *testing.T, c call, id string) string {
	t.Helper()
	refused, status, answer := p.ask(t, c)
	if refused != "" || status != http.StatusOK {
		t.Errorf("%s %s: %d %s, the document: %s", c.verb, c.path, status, answer, refused)
	}
	_, rest, _ := strings.Cut(answer, `"`+id+`":"`)
	found, _, _ := strings.Cut(rest, `"`)
	if id != "" && found == "" {
		t.Fatalf("no %s in %s", id, answer)
	}
	return found
}

// bad wants a request that both refuse.
func (p peer) bad(t *testing.T, c call) {
	t.Helper()
	refused, status, answer := p.ask(t, c)
	if refused == "" || status != http.StatusBadRequest {
		t.Errorf("%s %s %s: %d %s, the document refuses it by %q", c.verb, c.path, c.body, status, answer, refused)
	}
}

func start(t *testing.T) (users, orders peer) {
	t.Helper()
	u := svctest.Start(t, userv1svc.UserService(user.New, user.Migrations))
	p := svctest.Start(t, paymentv1svc.PaymentService(payment.New, payment.Migrations))
	o := svctest.Start(t, orderv1svc.OrderService(order.New, order.Migrations), u, p)
	return peer{u, judge(t, read(t, "generated/user/v1/user.openapi.json"))},
		peer{o, judge(t, read(t, "generated/order/v1/order.openapi.json"))}
}

const item = `{"sku":"A-1","quantity":1,"unitPrice":{"currencyCode":"EUR","amountMinor":"250"}}`

func orderOf(userID, items string) string {
	return fmt.Sprintf(`{"requestId":%q,"userId":%q,"channel":"CHANNEL_APP","items":[%s]}`, uuid.NewString(), userID, items)
}

// TestRequestsAndAnswers: what a running flagship takes and answers is what its documents
// say, and what breaks a rule is refused by both. CancelOrder is not called: to the validator
// its path is that of GetOrder, since it reads all of "…:cancel" as the parameter.
func TestRequestsAndAnswers(t *testing.T) {
	users, orders := start(t)
	userID := users.good(t, call{verb: "POST", path: "/v1/users", body: `{"email":"ada@example.org","displayName":"Ada"}`}, "userId")
	users.good(t, call{verb: "GET", path: "/v1/users/" + userID}, "email")
	users.good(t, call{verb: "GET", path: "/v1/users?pageSize=2"}, "userId")
	users.good(t, call{verb: "PATCH", path: "/v1/users/" + userID, body: `{"displayName":"Ada L.","updateMask":"displayName"}`}, "userId")

	orderID := orders.good(t, call{verb: "POST", path: "/v1/orders", body: orderOf(userID, item)}, "orderId")
	orders.good(t, call{
		verb: "POST", path: "/v1/orders", header: http.Header{"Idempotency-Key": {uuid.NewString()}},
		body: fmt.Sprintf(`{"userId":%q,"items":[%s]}`, userID, item),
	}, "orderId")
	orders.good(t, call{verb: "GET", path: "/v1/orders/" + orderID}, "orderId")
	orders.good(t, call{verb: "GET", path: "/v1/users/" + userID + "/orders?pageSize=1"}, "nextPageToken")
	if refused, status, answer := orders.ask(t, call{verb: "GET", path: "/v1/orders/" + uuid.NewString()}); refused != "" || status != http.StatusNotFound {
		t.Errorf("an order that is not there: %d %s, the document: %s", status, answer, refused)
	}

	for _, c := range []call{
		{verb: "POST", path: "/v1/users", body: `{"email":"ada@example.org","displayName":"` + strings.Repeat("ü", 101) + `"}`},
		{verb: "POST", path: "/v1/users", body: `{"email":"ada","displayName":"Ada"}`},
		{verb: "POST", path: "/v1/users", body: `{"email":"bea@example.org"}`},
		{verb: "GET", path: "/v1/users?pageToken=" + strings.Repeat("a", 201)},
		{verb: "GET", path: "/v1/users/7"},
	} {
		users.bad(t, c)
	}
	for _, c := range []call{
		{verb: "POST", path: "/v1/orders", body: orderOf(userID, "")},
		{verb: "POST", path: "/v1/orders", body: orderOf("7", item)},
		{verb: "POST", path: "/v1/orders", body: orderOf(userID, strings.Repeat(item+",", 100)+item)},
		{verb: "POST", path: "/v1/orders", body: orderOf(userID, strings.Replace(item, "A-1", "a-1", 1))},
		{verb: "POST", path: "/v1/orders", body: orderOf(userID, strings.Replace(item, `"quantity":1`, `"quantity":1001`, 1))},
		{verb: "POST", path: "/v1/orders", body: orderOf(userID, strings.Replace(item, `"quantity":1,`, "", 1))},
		{verb: "POST", path: "/v1/orders", body: orderOf(userID, strings.Replace(item, `"250"`, `"much"`, 1))},
		{verb: "POST", path: "/v1/orders", body: strings.Replace(orderOf(userID, item), "CHANNEL_APP", "CHANNEL_PIGEON", 1)},
		{verb: "POST", path: "/v1/orders"},
		{verb: "GET", path: "/v1/users/" + userID + "/orders?pageSize=-1"},
	} {
		orders.bad(t, c)
	}
}
