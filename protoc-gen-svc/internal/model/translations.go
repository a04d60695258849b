package model

import (
	"regexp"
	"strings"
	"time"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

// Translation is an error's message in another language.
type Translation struct{ Locale, Message string }

// languageTag is the part of BCP 47 that names languages people read: language,
// script, region, variants.
var languageTag = regexp.MustCompile(`^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*$`)

// answers are what an error says besides its message.
func (b *builder) answers(at Origin, e *Error, o *svcv1.Error) {
	if o != nil {
		e.TripsBreaker = o.TripsBreaker
	}
	e.RetryDelay = b.retryDelay(at, o)
	e.Translations = b.translations(at, e, o)
}

func (b *builder) translations(at Origin, e *Error, o *svcv1.Error) []Translation {
	var out []Translation
	seen := map[string]bool{}
	for i, t := range o.GetTranslations() {
		at := at.at("translations", i)
		locale := strings.ToLower(t.GetLocale())
		if !languageTag.MatchString(t.GetLocale()) {
			b.fault(at.in("locale"), translationLocale, t.GetLocale(), "de")
		}
		if seen[locale] && locale != "" {
			b.fault(at.in("locale"), translationTwice, t.GetLocale())
		}
		seen[locale] = true
		if t.GetMessage() == "" {
			b.fault(at.in("message"), translationMissing, t.GetLocale())
		}
		own := b.placeholders(at.in("message"), t.GetMessage())
		if unknown := missingFrom(e.Parameters, own); unknown != "" {
			b.fault(at.in("message"), translationExtra, t.GetMessage(), unknown)
		}
		for _, p := range differing(e.Parameters, own) {
			b.fault(at.in("message"), translationType, t.GetMessage(), p.wanted.Key, p.wanted.Type, p.there.Type)
		}
		out = append(out, Translation{t.GetLocale(), untyped(t.GetMessage())})
	}
	return out
}

func (b *builder) retryDelay(at Origin, o *svcv1.Error) time.Duration {
	if o.GetRetryDelay() == "" {
		return 0
	}
	at = at.in("retry_delay")
	if !o.GetRetryable() {
		b.fault(at, retryDelayUseless, o.GetRetryDelay())
	}
	delay, err := positive(o.GetRetryDelay(), time.Second)
	if err != nil {
		b.reject(at, err)
	}
	return delay
}
