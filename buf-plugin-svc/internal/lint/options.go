package lint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"buf.build/go/bufplugin/check"
	"pluginrpc.com/pluginrpc"
)

// settings are what the options say, or their defaults, and what else the rules
// need of a request.
type settings struct {
	serviceRPCLimit     int
	messageNestingLimit int
	rpcVerbs            []string // besides verbs, in lower case
	moneyWords          []string // besides money, in lower case
	names               names
}

func defaults() settings { return settings{serviceRPCLimit: 20, messageNestingLimit: 3} }

// option is a key below "options" of the plugin in buf.yaml.
type option struct {
	name string
	// rule is the rule that asks for it.
	rule string
	// about says in Markdown what it is and its default.
	about   string
	example string
	// read puts a value into the settings, or says what it must be.
	read func(value any, to *settings) error
}

// options is the table that the plugin reads by and that docs/lint.md is made of.
func options() []option {
	return []option{
		{"service_rpc_limit", "SVC_SERVICE_RPC_LIMIT", "most RPCs of one service, default 20", "30",
			number(func(s *settings) *int { return &s.serviceRPCLimit })},
		{"message_nesting_limit", "SVC_MESSAGE_NESTING_LIMIT", "most messages inside each other, the outermost included, default 3", "2",
			number(func(s *settings) *int { return &s.messageNestingLimit })},
		{"rpc_verbs", "SVC_RPC_VERB_FIRST", "more words that RPCs may begin with", `["Onboard"]`,
			words(func(s *settings) *[]string { return &s.rpcVerbs })},
		{"money_words", "SVC_FIELD_MONEY_FLOAT", "more words that name money", `["premium"]`,
			words(func(s *settings) *[]string { return &s.moneyWords })},
	}
}

func number(in func(*settings) *int) func(any, *settings) error {
	return func(value any, to *settings) error {
		n, ok := value.(int64)
		if !ok || n < 1 || n > 1_000_000 {
			return fmt.Errorf("%#v is not a whole number from 1 to 1000000", value)
		}
		*in(to) = int(n)
		return nil
	}
}

func words(in func(*settings) *[]string) func(any, *settings) error {
	return func(value any, to *settings) error {
		list, ok := value.([]string)
		if !ok {
			return fmt.Errorf("%#v is not a list of words", value)
		}
		for _, word := range list {
			if len(split(word)) != 1 || word != strings.TrimSpace(word) {
				return fmt.Errorf("%q is not one word", word)
			}
			*in(to) = append(*in(to), strings.ToLower(word))
		}
		return nil
	}
}

type settingsKey struct{}

func settingsOf(ctx context.Context) settings { return ctx.Value(settingsKey{}).(settings) }

// readOptions is run before the rules, and hands them the settings. It says
// everything that is wrong with the options.
func readOptions(ctx context.Context, request check.Request) (context.Context, check.Request, error) {
	s, known := defaults(), map[string]bool{}
	var faults []error
	for _, o := range options() {
		known[o.name] = true
		value, set := request.Options().Get(o.name)
		if !set {
			continue
		}
		if err := o.read(value, &s); err != nil {
			faults = append(faults, fmt.Errorf("option %s: %w (want for example %s)", o.name, err, o.example))
		}
	}
	var unknown []string
	request.Options().Range(func(name string, _ any) {
		if !known[name] {
			unknown = append(unknown, name)
		}
	})
	slices.Sort(unknown)
	for _, name := range unknown {
		faults = append(faults, fmt.Errorf("option %q is unknown (want one of %s)", name, strings.Join(optionNames(), ", ")))
	}
	if len(faults) > 0 {
		return nil, nil, pluginrpc.NewError(pluginrpc.CodeInvalidArgument, errors.Join(faults...))
	}
	s.names = namesIn(request)
	return context.WithValue(ctx, settingsKey{}, s), request, nil
}

func optionNames() (names []string) {
	for _, o := range options() {
		names = append(names, o.name)
	}
	return names
}
