package contractdiff

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/protosvc/protosvc/protoc-gen-svc/internal/model"
)

// verdict is what a change means.
type verdict struct {
	level  Level
	reason string
}

// What a whole thing means that is new or gone, by kind.
var (
	added = map[string]verdict{
		"service": {Look, "a new deployable: it needs a place to run, and a database if it has one"},
		"method":  {Safe, "nobody calls it yet"},
		"error":   {Safe, "nobody returns it yet"},
		"config":  {Look, "a new setting: say whether its default fits every environment"},
	}
	gone = map[string]verdict{
		"service": {Breaking, "callers find nobody"},
		"method":  {Breaking, "callers get UNIMPLEMENTED"},
		"error":   {Breaking, "code that handles it does not compile"},
		"config":  {Breaking, "a config file that sets it is refused"},
	}
)

// judgement says what a change of a value means; empty is no value.
type judgement func(old, now string) verdict

func always(level Level, reason string) judgement {
	return func(_, _ string) verdict { return verdict{level, reason} }
}

// either judges what is new, gone or another.
func either(isNew, isGone, other verdict) judgement {
	return func(old, now string) verdict {
		switch {
		case old == "":
			return isNew
		case now == "":
			return isGone
		}
		return other
	}
}

// ordered judges values by their direction, as the measure has it.
func ordered(measure func(string) float64, less, more verdict) judgement {
	return func(old, now string) verdict {
		if measure(now) < measure(old) {
			return less
		}
		return more
	}
}

// deadline measures a duration, of which none is the longest.
func deadline(s string) float64 {
	d, _ := time.ParseDuration(s)
	if d == 0 {
		return math.Inf(1)
	}
	return float64(d)
}

func duration(s string) float64 {
	d, _ := time.ParseDuration(s)
	return float64(d)
}

// listed judges lists by what was added and what is gone.
func listed(gone, added verdict) judgement {
	return func(old, now string) verdict {
		have := strings.Split(now, ", ")
		for item := range strings.SplitSeq(old, ", ") {
			if item != "" && !slices.Contains(have, item) {
				return gone
			}
		}
		return added
	}
}

// judge finds the judgement of an annotation, or of what it is a part of.
func judge(option, old, now string) verdict {
	for {
		if j, ok := judgements[option]; ok {
			return j(old, now)
		}
		i := strings.LastIndex(option, ".")
		if i < 0 || strings.HasSuffix(option[:i], "(svc") {
			return verdict{Look, "it differs from before"}
		}
		option = option[:i]
	}
}

// secret judges the name of a Secret.
var secret = either(
	verdict{Look, "Pods start once a Secret of this name is there"}, verdict{Safe, "the Secret is no longer used"},
	verdict{Breaking, "Pods do not start without a Secret of the new name"})

// judgements say what changes of annotations mean. One about a message is about
// its fields too, as far as they have none of their own.
var judgements = map[string]judgement{
	"(svc.v1.service).name":                       always(Breaking, "callers find the service by this name, and its Kubernetes objects are new ones"),
	"(svc.v1.service).team":                       always(Safe, "a label"),
	"(svc.v1.service).system":                     always(Look, "a label, by which the NetworkPolicies of callees know the service"),
	"(svc.v1.service).config":                     always(Look, "the settings below \"service\" in config files are others"),
	"(svc.v1.service).database":                   always(Look, "whether there is a database, and how it is used"),
	"(svc.v1.service).database.secret":            secret,
	"(svc.v1.service).database.migrations":        always(Look, "who applies the migrations, and with which rights"),
	"(svc.v1.service).database.migrations_secret": secret,
	"(svc.v1.service).secret":                     secret,
	"(svc.v1.service).database.network":           always(Look, "where the NetworkPolicy lets the service find its database"),
	"(svc.v1.service).network": either(
		verdict{Safe, "more may reach the service"}, verdict{Breaking, "who was let in by it is cut off where the NetworkPolicy is used"},
		verdict{Breaking, "who was let in by the old value is cut off where the NetworkPolicy is used"}),
	"(svc.v1.service).callees":                 always(Look, "how another service is called"),
	"(svc.v1.service).callees.gates_readiness": always(Look, "when the callee is down, this service is or is not taken out of rotation"),
	"(svc.v1.service).propagate":               listed(verdict{Breaking, "callees and logs no longer get the key"}, verdict{Safe, "one more key travels"}),
	"(svc.v1.service).propagate.max_bytes":     ordered(model.Quantity, verdict{Breaking, "longer values are refused"}, verdict{Safe, "longer values are let through"}),
	"(svc.v1.service).error_contract":          always(Look, "errors that a method does not declare become INTERNAL, or no longer do"),
	"(svc.v1.service).limits":                  ordered(model.Quantity, verdict{Look, "more is refused"}, verdict{Safe, "less is refused"}),
	"(svc.v1.service).limits.adaptive":         always(Look, "whether the limit of calls follows the latency"),
	"(svc.v1.service).http_callees":            always(Look, "how an external service is called"),
	"(svc.v1.service).http.cors":               always(Look, "which pages may call from a browser"),
	"(svc.v1.service).http.cors.origins":       listed(verdict{Breaking, "pages of the origin can no longer call"}, verdict{Look, "pages of one more origin may call"}),
	"(svc.v1.service).http.cors.max_age":       always(Safe, "how often browsers ask what a page may send"),
	"(svc.v1.service).metrics": either(
		verdict{Safe, "something more to see"}, verdict{Breaking, "dashboards and alerts that use it find nothing"},
		verdict{Breaking, "dashboards and alerts that use it find other series"}),
	"(svc.v1.service).metrics.labels.name":   always(Look, "queries that name each label find other series"),
	"(svc.v1.service).metrics.help":          always(Safe, "words"),
	"(svc.v1.service).metrics.buckets":       always(Look, "quantiles over the change mix old and new buckets"),
	"(svc.v1.service).metrics.labels.values": listed(verdict{Look, "what had the value counts as \"other\""}, verdict{Safe, "one more series"}),
	"(svc.v1.service).scale":                 ordered(model.Quantity, verdict{Look, "less capacity"}, verdict{Safe, "more capacity"}),
	"(svc.v1.service).scale.in_flight": either(
		verdict{Look, "calls in progress add replicas too: an adapter must serve their number, or none is ever taken away"},
		verdict{Look, "CPU alone adds replicas"}, verdict{Look, "replicas are added earlier, or later"}),
	"(svc.v1.service).scale.priority_class": either(
		verdict{Look, "Pods are refused until a PriorityClass of this name is there"}, verdict{Look, "Pods of a higher class are put in their place"},
		verdict{Breaking, "Pods are refused without a PriorityClass of the new name"}),
	"(svc.v1.service).probes":              ordered(model.Quantity, verdict{Look, "a failing replica gets no calls sooner"}, verdict{Look, "a failing replica gets calls for longer"}),
	"(svc.v1.service).probes.startup":      ordered(duration, verdict{Look, "a replica that starts slowly is restarted sooner"}, verdict{Safe, "a replica may take longer to start"}),
	"(svc.v1.service).go_runtime":          always(Look, "how much CPU the garbage collector takes to save memory"),
	"(svc.v1.service).go_runtime.profiles": always(Look, "whether the admin port serves profiles"),
	"(svc.v1.service).monitoring":          always(Look, "which object makes Prometheus scrape the service: its selectors must match it, and alerts on a missing target need one"),
	"(svc.v1.service).monitoring.interval": always(Look, "rates over less than four intervals have gaps"),
	"(svc.v1.service).ports": either(
		verdict{Look, "a port that was closed"}, verdict{Breaking, "callers find it closed"},
		verdict{Breaking, "callers, probes and monitors use the old port until they are deployed anew"}),
	"(svc.v1.service).stop":               ordered(duration, verdict{Look, "less time for calls to finish at a stop"}, verdict{Safe, "Pods may take longer to stop"}),
	"(svc.v1.service).trace_sample_ratio": always(Safe, "more or fewer traces"),

	"(svc.v1.method).timeout":         ordered(deadline, verdict{Look, "calls that took longer are cut"}, verdict{Safe, "callers may wait longer"}),
	"(svc.v1.method).calls":           listed(verdict{Safe, "a dependency less"}, verdict{Look, "a new dependency: it must be there first, and reachable"}),
	"(svc.v1.method).errors":          listed(verdict{Safe, "callers handle an error that no longer comes"}, verdict{Look, "callers get an error that they do not know yet"}),
	"(svc.v1.method).idempotency_key": keyChange,
	"(svc.v1.method).retry":           always(Look, "how often a failing callee is called"),

	"(svc.v1.method).concurrency":           either(verdict{Look, "excess is refused from now on"}, verdict{Safe, "nothing is refused for this any more"}, verdict{Look, "more, or less, is refused"}),
	"(svc.v1.method).rate_limit":            either(verdict{Look, "callers who call more often are refused"}, verdict{Safe, "callers may call as often as they like"}, verdict{Look, "which callers are refused"}),
	"(svc.v1.method).stream":                ordered(deadline, verdict{Look, "streams end earlier"}, verdict{Safe, "streams may last longer"}),
	"(svc.v1.method).stream.max_messages":   either(verdict{Look, "longer streams are refused"}, verdict{Safe, "streams have no limit of messages"}, verdict{Look, "which streams are refused"}),
	"(svc.v1.method).hedge":                 always(Look, "how often a slow callee is called"),
	"(svc.v1.method).handler_is_idempotent": always(Look, "who answers repeated calls: the runtime, or the handler"),
	"(svc.v1.method).idempotency_scope":     always(Breaking, "answers that are kept are found no more: a repeated call has a second effect"),
	"(svc.v1.method).defers":                listed(verdict{Look, "calls that wait in the outbox must be made before it goes out"}, verdict{Look, "a new dependency, by way of the outbox"}),
	"(svc.v1.method).map_errors.from":       always(Safe, "to and handled say what becomes of the error"),
	"(svc.v1.method).map_errors.to":         always(Breaking, "callers get another error than before, or none"),
	"(svc.v1.method).map_errors.handled":    handledChange,

	"(google.api.http)": listed(verdict{Breaking, "HTTP callers find nothing at the old path"}, verdict{Safe, "another path"}),
	"idempotency_level": always(Look, "whether callers retry the method by themselves"),
	"deprecated":        always(Look, "whether callers are told to move on"),

	"(svc.v1.field).default":    always(Look, "every environment that does not set it gets another value"),
	"(svc.v1.field).reload":     always(Look, "whether a change needs a restart"),
	"(svc.v1.field).secret_key": always(Breaking, "the value is looked for under the new key of the Secret"),

	"(svc.v1.errors).domain":       always(Breaking, "callers know the error by its domain"),
	"(svc.v1.error).code":          always(Breaking, "callers, retries and alerts go by the code"),
	"(svc.v1.error).http_status":   always(Breaking, "HTTP callers go by the status"),
	"(svc.v1.error).message":       messageChange,
	"(svc.v1.error).trips_breaker": always(Look, "when callers stop to call"),
	"(svc.v1.error).retry_delay":   always(Safe, "how long callers wait before they try again"),
	"(svc.v1.error).translations":  always(Safe, "words for people"),
	"(svc.v1.error).retryable":     always(Look, "callers try again, or no longer do"),
}

// about are annotations without effect where another one is not set: errors of
// nobody are not mapped.
var about = map[string]string{"(svc.v1.method).map_errors": "(svc.v1.method).calls"}

// pointless is the change of such an annotation, in a contract that has the other
// one and one that does not.
var pointless = verdict{Safe, "without calls, before or now, no error is mapped"}

// handledChange judges a mapping that is new or gone too. One that is not handled is
// judged by what it maps to.
func handledChange(old, now string) verdict {
	switch {
	case now == "true":
		return verdict{Look, "callers no longer get the error of the callee: the handler must deal with it, and what it lets through is INTERNAL under a strict contract"}
	case old == "true":
		return verdict{Look, "callers may get an error of the callee that they did not get before, or INTERNAL under a strict contract"}
	}
	return verdict{Safe, "to says what becomes of the error"}
}

func keyChange(old, now string) verdict {
	switch {
	case old == "":
		return verdict{Look, "callers retry the method from now on: it must be idempotent"}
	case now == "":
		return verdict{Breaking, "a repeated call has a second effect"}
	}
	return verdict{Breaking, "repeated calls are told apart by another field"}
}

// messageChange judges by the placeholders, each of which code makes and reads.
func messageChange(old, now string) verdict {
	if old == "" || now == "" {
		return verdict{Safe, "words for people"} // of an error that is new or gone
	}
	before, after := model.Placeholders(old), model.Placeholders(now)
	for _, b := range before {
		switch i := slices.IndexFunc(after, func(a model.Parameter) bool { return a.Key == b.Key }); {
		case i < 0:
			return verdict{Breaking, "callers no longer get {" + b.Key + "}: code that makes it, or reads it, does not compile"}
		case after[i].Type != b.Type:
			return verdict{Breaking, "{" + b.Key + "} is of another type: code that makes it, or reads it, does not compile, and callers of the other version read it as zero where the text does not fit"}
		}
	}
	switch {
	case len(after) > len(before):
		return verdict{Look, "handlers have more to say: their code does not compile until it does"}
	case !slices.Equal(before, after) && len(after) <= model.MaxParameters:
		return verdict{Look, "the constructor takes its parameters in another order, which compiles where their types are the same"}
	}
	return verdict{Safe, "words for people"}
}
