package project

import (
	"strings"
	"testing"
)

func TestModule(t *testing.T) {
	const want = ` (want for example "example.com/shop")`
	for path, fault := range map[string]string{
		"example.com/shop":             "",
		"example.com":                  "",
		"github.com/Acme/shop_x~a/v2":  "",
		"example.com/v1.x":             "",
		"":                             "must begin with a domain, which has a dot",
		"shop":                         "must begin with a domain, which has a dot",
		"Example.com/shop":             "must begin with a domain in lower case",
		"example.com/my shop":          `may have letters and digits of ASCII, "-", ".", "_", "~" and "/"`,
		"example.com/shöp":             `may have letters and digits of ASCII, "-", ".", "_", "~" and "/"`,
		"example.com/shop/":            "may neither begin nor end with a slash, nor have two in a row",
		"example.com/../shop":          "may have no element that begins or ends with a dot",
		"example.com/shop/v1":          `may end with a major version from v2 on only, such as "/v2"`,
		"example.com/shop/v02":         `may end with a major version from v2 on only, such as "/v2"`,
		"example.com/shop~1.x":         `may have no element that ends, up to its first dot, with "~" and digits`,
		"example.com/aux.c/shop":       "may have no element that Windows reserves",
		"github.com/protosvc/protosvc": "belongs to this program",
	} {
		got := checkModule(path)
		if fault == "" {
			if got != nil {
				t.Errorf("%q: %v, want no error", path, got)
			}
			continue
		}
		if path != self {
			fault += want
		}
		if got == nil || !strings.HasPrefix(got.Error(), "module path \""+path+"\" "+fault) {
			t.Errorf("%q: %v, want %s", path, got, fault)
		}
	}
}

func TestServiceNames(t *testing.T) {
	const form = ` is not words of two or more lower-case letters, joined by "-", 54 characters at most (want for example "line-item")`
	used := func(reason string) string {
		return " cannot be used: it is " + reason + ` (want for example "line-item")`
	}
	long := strings.Repeat("x", maxServiceName)
	for name, fault := range map[string]string{
		"user": "", "line-item": "", "oauth2-client": "", "linux": "", "init": "", "test": "", long: "",
		"": form, "a": form, "x-ray": form, "Order": form, "line_item": form, "line--item": form, "-item": form,
		"item-": form, " order": form, "s3x": form, "2fa": form, long + "x": form,
		"go":           used("a keyword of Go"),
		"type":         used("a keyword of Go"),
		"svc":          used("a package of protos that contracts import"),
		"buf":          used("a package of protos that contracts import"),
		"internal":     used("a folder that Go treats in its own way"),
		"demo":         used("the program that shows the services"),
		"value":        used("a word of SQL in its plural"),
		"string":       used("a method of Go messages"),
		"user-windows": used("the end of a file that Go builds on one platform only"),
	} {
		_, err := newServices("example.com/shop", []string{name})
		switch {
		case fault == "" && err != nil:
			t.Errorf("%q: %v, want no error", name, err)
		case fault != "" && (err == nil || err.Error() != `service name "`+name+`"`+fault):
			t.Errorf("%q: %v, want %s", name, err, fault)
		}
	}
}

func TestServicesOfOneName(t *testing.T) {
	for _, names := range [][2]string{{"user", "user"}, {"line-item", "lineitem"}} {
		_, err := newServices("example.com/shop", names[:])
		want := `service names "` + names[0] + `" and "` + names[1] + `" are the same Go package (want each one once)`
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", names, err, want)
		}
	}
}

func TestForms(t *testing.T) {
	for name, want := range map[string]string{
		"user":          "user user USER User users users Users|a user",
		"order":         "order order ORDER Order orders orders Orders|an order",
		"line-item":     "lineitem line_item LINE_ITEM LineItem lineItems line_items Line items|a line item",
		"home-address":  "homeaddress home_address HOME_ADDRESS HomeAddress homeAddresses home_addresses Home addresses|a home address",
		"category":      "category category CATEGORY Category categories categories Categories|a category",
		"update":        "update update UPDATE Update updates updates Updates|an update",
		"news":          "news news NEWS News news news News|a news",
		"time-series":   "timeseries time_series TIME_SERIES TimeSeries timeSeries time_series Time series|a time series",
		"person":        "person person PERSON Person people people People|a person",
		"sales-person":  "salesperson sales_person SALES_PERSON SalesPerson salesPeople sales_people Sales people|a sales person",
		"survey":        "survey survey SURVEY Survey surveys surveys Surveys|a survey",
		"oauth2-client": "oauth2client oauth2_client OAUTH2_CLIENT Oauth2Client oauth2Clients oauth2_clients Oauth2 clients|an oauth2 client",
	} {
		s := service{Name: name}
		got := strings.Join([]string{s.Package(), s.Snake(), s.Upper(), s.Camel(), s.Variable(), s.Table(), s.Title()}, " ") + "|" + s.WithArticle()
		if got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, want)
		}
	}
}

// TestPlurals: a word in the table is one that the rules get wrong.
func TestPlurals(t *testing.T) {
	for word, plural := range plurals {
		if !serviceName.MatchString(word) || !serviceName.MatchString(plural) {
			t.Errorf("%s, %s: no name of a service could be it", word, plural)
		}
		if (service{Name: "x" + word}).Plural() == "x"+plural {
			t.Errorf("%s, %s: the rules say so, too", word, plural)
		}
		if got := (service{Name: word}).Plural(); got != plural {
			t.Errorf("plural of %s is %s, want %s", word, got, plural)
		}
	}
}
