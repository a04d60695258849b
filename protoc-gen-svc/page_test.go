package main_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// elements are those that the page has, all from its templates.
var elements = strings.Fields(`html head meta title link style body a header h1 p div label input button nav h2 h3 ul li main
section table thead tbody tr th td span svg path rect desc defs marker g text details summary dl dt dd code br wbr footer script`)

// page is what a reader of the page finds in it.
type page struct {
	ids, links map[string]bool
	text       strings.Builder // of what is neither script nor style
	count      map[string]int  // of elements
}

// readHTML reads the page as XML, which it is too, so that each tag has its end.
func readHTML(text string) (*page, error) {
	p := &page{ids: map[string]bool{}, links: map[string]bool{}, count: map[string]int{}}
	decoder := xml.NewDecoder(strings.NewReader(strings.TrimPrefix(text, "<!DOCTYPE html>\n")))
	var open []string
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return p, nil
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			open = append(open, token.Name.Local)
			err = p.element(token)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			err = p.characters(open, string(token))
		}
		if err != nil {
			return nil, err
		}
	}
}

func (p *page) element(e xml.StartElement) error {
	name := e.Name.Local
	if !slices.Contains(elements, name) {
		return fmt.Errorf("the contract has made an element: <%s>", name)
	}
	p.count[name]++
	attributes := map[string]string{}
	for _, a := range e.Attr {
		attributes[a.Name.Local] = a.Value
		if strings.HasPrefix(a.Name.Local, "on") || strings.HasPrefix(a.Name.Local, "src") {
			return fmt.Errorf("<%s> has %s", name, a.Name.Local)
		}
	}
	if id := attributes["id"]; id != "" {
		if p.ids[id] {
			return fmt.Errorf("the id %q is there twice", id)
		}
		p.ids[id] = true
	}
	if name == "th" && attributes["scope"] == "" {
		return errors.New("<th> without a scope")
	}
	for _, key := range []string{"href", "aria-labelledby", "for"} {
		p.link(key, attributes[key])
	}
	return nil
}

func (p *page) characters(open []string, text string) error {
	switch {
	case slices.Contains(open, "style"):
		if strings.Contains(text, "@import") || strings.Contains(text, "url(") {
			return errors.New("the style loads something")
		}
	case !slices.Contains(open, "script"):
		p.text.WriteString(text)
	}
	return nil
}

func (p *page) link(key, value string) {
	fragment, inside := strings.CutPrefix(value, "#")
	switch {
	case key == "href" && inside:
		p.links[fragment] = true
	case key != "href":
		for id := range strings.FieldsSeq(value) {
			p.links[id] = true
		}
	}
}

// checkHTML wants well-formed HTML that loads nothing, of elements of ours, with every
// link inside it leading somewhere.
func checkHTML(_, text string) error {
	p, err := readHTML(text)
	if err != nil {
		return err
	}
	for id := range p.links {
		if !p.ids[id] {
			return fmt.Errorf("nothing has the id %q", id)
		}
	}
	for _, once := range []string{"h1", "nav", "main", "script", "style"} {
		if p.count[once] != 1 {
			return fmt.Errorf("%d of <%s>", p.count[once], once)
		}
	}
	return nil
}

// TestPage: the page of every case that is a whole system is what a browser expects, and
// says what the contract says, whatever that is.
func TestPage(t *testing.T) {
	c := loadCorpus(t)
	said := map[string][]string{ // by case
		"hostile": {
			"Hostile `backticks` {{.Name}} {{end}} \"quotes\" 'single' \\backslash\\ | pipe # heading <script>alert(1)</script> &lt; ${HOME}",
			"*/ `x` {{.}} \"quoted\" 'single' \\ | <b> # HELP next tab",
		},
	}
	seen := 0
	for _, one := range c.cases {
		files, err := one.system()
		if err != nil {
			continue // not a whole system
		}
		for _, f := range files {
			if f.Path != "deploy/index.html" {
				continue
			}
			seen++
			if err := checkHTML(f.Path, f.Text); err != nil {
				t.Errorf("%s: %v", one.name, err)
				continue
			}
			p, err := readHTML(f.Text)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range said[one.name] {
				if !strings.Contains(p.text.String(), want) {
					t.Errorf("%s: the page does not say %s", one.name, want)
				}
			}
			delete(said, one.name)
		}
	}
	if seen < 30 || len(said) > 0 {
		t.Errorf("%d pages, without those of %v", seen, said)
	}
}
