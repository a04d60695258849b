package model

import (
	"slices"
	"time"

	"github.com/protosvc/protosvc/internal/weborigin"
	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

const (
	defaultCORSAge = 10 * time.Minute
	mostCORSAge    = 24 * time.Hour
)

// CORS is which pages may call over HTTP/JSON from a browser.
type CORS struct {
	// Origins are those of the pages, "*" for all.
	Origins []string
	// Credentials says that browsers send cookies.
	Credentials bool
	// MaxAge is how long browsers remember what a page may send.
	MaxAge time.Duration
}

// cors is nil where no page may call.
func (b *builder) cors(s *Service, o *svcv1.CORS) *CORS {
	if o == nil {
		return nil
	}
	at := s.origin().in("http.cors")
	if !s.HTTP() {
		b.fault(at, corsUnused)
	}
	if len(o.GetOrigins()) == 0 {
		b.fault(at.in("origins"), corsMissing, exampleOrigin)
	}
	for i, origin := range o.GetOrigins() {
		b.checkOrigin(at.at("origins", i), o, i, origin)
	}
	age, err := positive(o.GetMaxAge(), defaultCORSAge)
	if err != nil {
		b.reject(at.in("max_age"), err)
	} else if age > mostCORSAge || age%time.Second != 0 {
		b.fault(at.in("max_age"), corsAge, o.GetMaxAge())
	}
	return &CORS{o.GetOrigins(), o.GetCredentials(), age}
}

const exampleOrigin = "https://shop.example"

// checkOrigin wants what a browser can send, since any other text would match nothing.
func (b *builder) checkOrigin(at Origin, o *svcv1.CORS, i int, origin string) {
	switch {
	case slices.Index(o.GetOrigins(), origin) < i:
		b.fault(at, corsTwice, origin)
	case origin == weborigin.Any && o.GetCredentials():
		b.fault(at, corsAnybody, origin)
	case origin == weborigin.Any && len(o.GetOrigins()) > 1:
		b.fault(at, corsBeside, origin)
	case origin != weborigin.Any && !weborigin.Valid(origin):
		b.fault(at, corsOrigin, origin, exampleOrigin)
	}
}
