package errors_test

import (
	stderrors "errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/prototext"

	"github.com/protosvc/protosvc/svc/errors"
)

var translated = &errors.Code{
	Domain: "user", Reason: "GONE", GRPC: codes.NotFound, Message: "user {id} does not exist",
	Translations: []errors.Translation{
		{Locale: "de", Message: "Nutzer {id} gibt es nicht"},
		{Locale: "pt-BR", Message: "o usuário {id} não existe"},
		{Locale: "zh-Hant", Message: "找不到 {id}"},
	},
}

func detailOf[T any](st *status.Status) (found T, ok bool) {
	for _, d := range st.Details() {
		if found, ok = d.(T); ok {
			return found, true
		}
	}
	return found, false
}

func assertNoSecret(t *testing.T, st *status.Status) {
	t.Helper()
	if text := prototext.Format(st.Proto()); strings.Contains(text, "secret") {
		t.Errorf("the wire has the secret: %s", text)
	}
}

func TestLanguages(t *testing.T) {
	for languages, want := range map[string]string{
		"":                               "",
		"de":                             "de",
		"DE":                             "de",
		"de-CH-1996":                     "de",
		"fr":                             "",
		"fr, de;q=0.5":                   "de",
		"de;q=0.5, pt-br;q=0.9":          "pt-BR",
		"pt":                             "",
		"de;q=0":                         "",
		"de;q=0, pt-BR;q=0.1":            "pt-BR",
		"*":                              "",
		"*, de;q=0.1":                    "de",
		"zh-Hant-CN-x-private":           "zh-Hant",
		"zh-hant-x-a":                    "zh-Hant",
		"de;q=high":                      "",
		"de;q=NaN":                       "",
		"de;q=-1":                        "",
		"de;q=1.1, pt-BR;q=0.1":          "pt-BR",
		"de;q=1, pt-BR":                  "de",
		"de;level=1":                     "",
		" de ; q = 0.3 ":                 "de",
		",,;,-,--":                       "",
		strings.Repeat("fr,", 15) + "de": "de", // the last that is looked at
		strings.Repeat("fr,", 16) + "de": "",
		strings.Repeat("a-", 1<<12):      "",
		"xx,yy;q=0.9,de-AT;q=0.9,pt-BR":  "pt-BR",
	} {
		st := errors.Answer{Languages: languages}.Status(translated.New("id", "7"))
		got, _ := detailOf[*errdetails.LocalizedMessage](st)
		if got.GetLocale() != want {
			t.Errorf("%.40q: %q, want %q", languages, got.GetLocale(), want)
		}
		if want == "de" && got.GetMessage() != "Nutzer 7 gibt es nicht" {
			t.Errorf("%.40q: message %q", languages, got.GetMessage())
		}
		if st.Message() != "user 7 does not exist" {
			t.Errorf("%.40q: the message for developers is %q", languages, st.Message())
		}
	}
}

func TestAnswerIsAddedOnce(t *testing.T) {
	inner := errors.Answer{RequestID: "inner", Languages: "pt-BR", Metadata: []string{"x-tenant", "acme", "id", "not this"}}
	err := errors.FromStatus(inner.Status(translated.New("id", "7")).Err(), errors.Table{translated})
	outer := errors.Answer{RequestID: "outer", Languages: "de"}
	st := outer.Status(err)

	seen := map[string]int{}
	for _, d := range st.Proto().GetDetails() {
		seen[d.GetTypeUrl()]++
	}
	for url, n := range seen {
		if n != 1 {
			t.Errorf("%d details of the type %s", n, url)
		}
	}
	if len(seen) != 3 {
		t.Errorf("details %v, want ErrorInfo, LocalizedMessage and RequestInfo", seen)
	}
	if got, _ := detailOf[*errdetails.LocalizedMessage](st); got.GetLocale() != "de" {
		t.Errorf("locale %q, want that of the outer caller", got.GetLocale())
	}
	got := errors.FromStatus(st.Err(), nil).(*errors.Error)
	if got.RequestID() != "outer" || got.Metadata["x-tenant"] != "acme" || got.Metadata["id"] != "7" {
		t.Errorf("request id %q, metadata %v", got.RequestID(), got.Metadata)
	}
}

func TestAnswerOfOtherErrors(t *testing.T) {
	a := errors.Answer{RequestID: "r", Languages: "de", Metadata: []string{"x-tenant", "acme"}}
	if st := a.Status(nil); st != nil {
		t.Errorf("no error has the status %v", st)
	}
	for _, err := range []error{stderrors.New("secret"), status.Error(codes.NotFound, "gone"), errors.Overloaded} {
		st := a.Status(err)
		if got, ok := detailOf[*errdetails.RequestInfo](st); !ok || got.GetRequestId() != "r" {
			t.Errorf("%v: no request id in %v", err, st)
		}
		if want := errors.ToStatus(err); st.Code() != want.Code() || st.Message() != want.Message() {
			t.Errorf("%v: %v, want %v", err, st, want)
		}
		assertNoSecret(t, st)
	}
}

func TestRetryDelay(t *testing.T) {
	c := errors.Code{Domain: "d", Reason: "BUSY", GRPC: codes.Unavailable, Retryable: true, RetryDelay: 1500 * time.Millisecond}
	info, ok := detailOf[*errdetails.RetryInfo](c.GRPCStatus())
	if !ok || info.GetRetryDelay().AsDuration() != c.RetryDelay {
		t.Errorf("RetryInfo is %v, want %v", info, c.RetryDelay)
	}
	passedOn := errors.ToStatus(errors.FromStatus(c.GRPCStatus().Err(), nil))
	if again, _ := detailOf[*errdetails.RetryInfo](passedOn); again.GetRetryDelay().AsDuration() != c.RetryDelay {
		t.Errorf("passed on, RetryInfo is %v", again)
	}
	c.RetryDelay = 0
	if info, ok := detailOf[*errdetails.RetryInfo](c.GRPCStatus()); !ok || info.RetryDelay != nil {
		t.Errorf("without a delay, RetryInfo is %v", info)
	}
}
