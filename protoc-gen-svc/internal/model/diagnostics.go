package model

import "github.com/protosvc/protosvc/protoc-gen-svc/internal/fault"

// finding is a row of the table of diagnostics.
type finding int

// The rows, in the order of their rules.
const (
	breakerOff finding = iota
	breakerPercent
	callCycle
	callForm
	callService
	calleeForm
	calleeBalance
	defaultYAML
	defaultValue
	defaultOneof
	deadlineBudget
	metricTwice
	labelValueTwice
	calleeTwice
	errorTwice
	callTwice
	durationForm
	durationNegative
	durationZero
	errorCode
	errorHTTP
	errorPlaceholder
	errorNotFromCallee
	reasonTwice
	errorZero
	metricOneName
	labelOneName
	errorOneName
	goNameTwice
	methodNameTwice
	packageMain
	packageTaken
	importPath
	routeTwice
	routeStream
	keyOnStream
	keyUnknown
	keyType
	keyEmpty
	importCircle
	labelValueForm
	secretName
	limitSize
	methodConcurrency
	bucketsUnused
	bucketsFinite
	bucketsAscending
	metricHelp
	labelForm
	labelReserved
	labelEmptyValue
	metricForm
	metricPrefix
	counterSuffix
	notCounterSuffix
	metricType
	metricUnit
	portRange
	portTwice
	quantityForm
	quantityZero
	ratePerSecond
	rateKey
	retryAmplification
	retryAttempts
	retryBackoff
	retryCode
	retryNotIdempotent
	retryStream
	scaleMemory
	scaleRange
	serviceName
	nameTwice
	handlerTwice
	stopBudget
	streamUnary
	streamMessages
	streamDeadline
	streamIdle
	sampleRatio
	labelUnbounded
	serviceNotInRun
	calleeMethod
	errorUnknown
	errorNotAnnotated
	configUnknown
	calleeUncalled
)

// diagnostics is everything that Build says about a contract that cannot work.
var diagnostics = [...]fault.Message{
	breakerOff:         {Rule: "breaker", Format: "is set on a breaker that is off (remove one of the two)"},
	breakerPercent:     {Rule: "breaker", Format: "%d is not a share in percent (want 1 to 100)"},
	callCycle:          {Rule: "call-cycle", Format: "%q closes a circle of calls: %s"},
	callForm:           {Rule: "call-format", Format: "%q does not name a method (want for example %q)"},
	callService:        {Rule: "call-format", Format: "%q: %q is not the name of a service"},
	calleeForm:         {Rule: "call-format", Format: "%q is not the name of a service"},
	calleeBalance:      {Rule: "callee-balance", Format: "%v is not a known policy"},
	defaultYAML:        {Rule: "config-default", Format: "%q is not YAML"},
	defaultValue:       {Rule: "config-default", Format: "%q: %v"},
	defaultOneof:       {Rule: "config-default", Format: "is set, and that of %s too, of which only one can be (both are in oneof %s)"},
	deadlineBudget:     {Rule: "deadline-budget", Format: "%q is less than its calls may take one after the other, %v (raise it, or lower theirs)"},
	metricTwice:        {Rule: "declared-twice", Format: "%q is declared twice"},
	labelValueTwice:    {Rule: "declared-twice", Format: "of label %q have one twice"},
	calleeTwice:        {Rule: "declared-twice", Format: "%q has settings twice"},
	errorTwice:         {Rule: "declared-twice", Format: "%q is declared twice"},
	callTwice:          {Rule: "declared-twice", Format: "%q is declared twice"},
	durationForm:       {Rule: "duration-format", Format: "%q is not a duration (want for example %q)"},
	durationNegative:   {Rule: "duration-format", Format: "%q is negative (want for example %q)"},
	durationZero:       {Rule: "duration-format", Format: "%q is not above zero (want for example %q)"},
	errorCode:          {Rule: "error-code", Format: "is missing, OK or unknown: an error needs a code (for example NOT_FOUND)"},
	errorHTTP:          {Rule: "error-http-status", Format: "%d is not the status of an error (want 400 to 599)"},
	errorPlaceholder:   {Rule: "error-message", Format: "%q has %q, which is not a placeholder (want for example {user_id})"},
	errorNotFromCallee: {Rule: "error-not-from-callee", Format: "%q is an error of package %s, and no method under calls returns it (declare it there, or call a method that returns it)"},
	reasonTwice:        {Rule: "error-reason-taken", Format: "is also a reason of %s, in the same domain %q (give one of the enums another domain)"},
	errorZero:          {Rule: "error-zero", Format: "is the zero value, which stands for no error (move (svc.v1.error) to another value)"},
	metricOneName:      {Rule: "go-name", Format: "%q and %q are one name in Go"},
	labelOneName:       {Rule: "go-name", Format: "%q and %q are one name in Go"},
	errorOneName:       {Rule: "go-name", Format: "%q has {%s} and {%s}, which are one name in Go"},
	goNameTwice:        {Rule: "go-name", Format: "becomes %s%s, as does %s (rename one of them)"},
	methodNameTwice:    {Rule: "go-name", Format: "becomes %s in Go, as does %s (rename one of them)"},
	packageMain:        {Rule: "go-package", Format: "has go_package %q: nothing can import a package main (choose another name)"},
	packageTaken:       {Rule: "go-package", Format: "has go_package %q, which is where the service's own code goes (choose another)"},
	importPath:         {Rule: "go-package", Format: "go_package has the import path %q, which Go does not accept (want for example %q)"},
	routeTwice:         {Rule: "http-path", Format: "%s %q is also the path of %s"},
	routeStream:        {Rule: "http-stream", Format: "(google.api.http) is set on a %s method: HTTP/JSON has no stream of requests (remove it)"},
	keyOnStream:        {Rule: "idempotency-key", Format: "%q is set on a method whose request is a stream"},
	keyUnknown:         {Rule: "idempotency-key", Format: "%q is not a field of %s%s"},
	keyType:            {Rule: "idempotency-key", Format: "%q is not a string field"},
	keyEmpty:           {Rule: "idempotency-key", Format: "%q may be empty (add a rule of buf.validate that refuses the empty string, for example string.min_len = 1%s)"},
	importCircle:       {Rule: "import-cycle", Format: "closes a circle, which Go cannot import: %s (move what is needed to a package of its own)"},
	labelValueForm:     {Rule: "kubernetes-label", Format: "%q is not a Kubernetes label value (letters, digits, \"-\", \"_\", \".\"; at most 63)"},
	secretName:         {Rule: "kubernetes-name", Format: "%q is not the name of a Kubernetes Secret"},
	limitSize:          {Rule: "limit-size", Format: "%q is no size of what a call may send (want %q to %q)"},
	methodConcurrency:  {Rule: "method-concurrency", Format: "%d is never reached: the server refuses above %d in progress (lower it, or raise (svc.v1.service).limits.concurrency)"},
	bucketsUnused:      {Rule: "metric-buckets", Format: "are set on a metric that is not a histogram"},
	bucketsFinite:      {Rule: "metric-buckets", Format: "are not all finite (the bucket above the last bound is always there)"},
	bucketsAscending:   {Rule: "metric-buckets", Format: "are not ascending"},
	metricHelp:         {Rule: "metric-help", Format: "is missing: say in one sentence what %q counts"},
	labelForm:          {Rule: "metric-label", Format: "%q is not the name of a label in snake case (want for example %q)"},
	labelReserved:      {Rule: "metric-label", Format: "%q is a label that the platform sets"},
	labelEmptyValue:    {Rule: "metric-label", Format: "of label %q have an empty one, which is the same as no label"},
	metricForm:         {Rule: "metric-name", Format: "%q is not the name of a metric in snake case (want for example %q)"},
	metricPrefix:       {Rule: "metric-name", Format: "%q has a prefix of the runtime's own metrics"},
	counterSuffix:      {Rule: "metric-suffix", Format: "%q is a counter and does not end in %q"},
	notCounterSuffix:   {Rule: "metric-suffix", Format: "%q is not a counter and ends in %q"},
	metricType:         {Rule: "metric-type", Format: "is missing or unknown (want METRIC_TYPE_COUNTER, METRIC_TYPE_GAUGE or METRIC_TYPE_HISTOGRAM)"},
	metricUnit:         {Rule: "metric-unit", Format: "%q is in %s (want the base unit, for example %q)"},
	portRange:          {Rule: "port-range", Format: "%d is not a TCP port (want 1 to 65535)"},
	portTwice:          {Rule: "port-taken", Format: "%d is also ports.%s"},
	quantityForm:       {Rule: "quantity-format", Format: "%q is not a quantity (want for example %q)"},
	quantityZero:       {Rule: "quantity-format", Format: "%q is not a quantity above zero (want for example %q)"},
	ratePerSecond:      {Rule: "rate-limit", Format: "%v is not a number of calls per second (want above 0, at most %d)"},
	rateKey:            {Rule: "rate-limit", Format: "%q is not a key under propagate%s (declare it there)"},
	retryAmplification: {Rule: "retry-amplification", Format: "%q makes up to %d calls of one, more than %d: %s (set retry.attempts to 1 on one of them)"},
	retryAttempts:      {Rule: "retry-attempts", Format: "%d is too many (want 1 to 5)"},
	retryBackoff:       {Rule: "retry-backoff", Format: "%q is below initial_backoff %q"},
	retryCode:          {Rule: "retry-code", Format: "%v is not the code of an error"},
	retryNotIdempotent: {Rule: "retry-not-idempotent", Format: "is set on a method that is not idempotent (set idempotency_key, or the option idempotency_level of protobuf)"},
	retryStream:        {Rule: "retry-stream", Format: "is set on a %s method: only unary methods can be tried again"},
	scaleMemory:        {Rule: "scale-memory", Format: "%q is no memory of a Go service (want %q to %q)"},
	scaleRange:         {Rule: "scale-range", Format: "%d is below min %d"},
	serviceName:        {Rule: "service-name", Format: "%q is not a name in kebab case of at most %d characters (want for example %q)"},
	nameTwice:          {Rule: "service-name-taken", Format: "%q is also the name of %s (set (svc.v1.service).name on one of them)"},
	handlerTwice:       {Rule: "service-name-taken", Format: "%q has its handler in package %s, as has %q of %s (set (svc.v1.service).name on one of them)"},
	stopBudget:         {Rule: "stop-budget", Format: "%q is below the timeout %q of %s, whose calls would be cut"},
	streamUnary:        {Rule: "stream-bounds", Format: "is set on a unary method (remove it: timeout bounds its calls)"},
	streamMessages:     {Rule: "stream-bounds", Format: "is set on a server stream method, whose caller sends one message (remove it)"},
	streamDeadline:     {Rule: "stream-bounds", Format: "%q is above stream.max_age %q, which ends the stream before (lower it, or raise max_age)"},
	streamIdle:         {Rule: "stream-bounds", Format: "%q is not below max_age %q, which ends the stream before (lower it, or set \"0s\")"},
	sampleRatio:        {Rule: "trace-sample-ratio", Format: "%v is not a ratio (want 0 to 1)"},
	labelUnbounded:     {Rule: "unbounded-label", Format: "are missing: name the values of label %q, so that the number of series is bounded"},
	serviceNotInRun:    {Rule: "unknown-callee", Format: "%q: service %q is not in this run%s"},
	calleeMethod:       {Rule: "unknown-callee", Format: "%q: service %q has no method %q%s"},
	errorUnknown:       {Rule: "unknown-error", Format: "%q is not a value of a known enum%s"},
	errorNotAnnotated:  {Rule: "unknown-error", Format: "%q is not an error: its enum has no (svc.v1.errors), or it is the zero value"},
	configUnknown:      {Rule: "unknown-message", Format: "%q is not a known message%s"},
	calleeUncalled:     {Rule: "unused-callee", Format: "%q is not called by any method%s"},
}

// Messages are all that the package can say.
func Messages() []fault.Message { return diagnostics[:] }
