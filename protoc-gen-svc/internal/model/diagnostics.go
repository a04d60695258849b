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
	callNoMethod
	callMethod
	calleeForm
	calleeBalance
	calleeConnections
	defaultYAML
	defaultValue
	defaultBreaks
	defaultOneof
	deadlineBudget
	metricTwice
	labelValueTwice
	calleeTwice
	errorTwice
	propagateTwice
	corsTwice
	mapTwice
	translationTwice
	callTwice
	deferNoDatabase
	deferNotIdempotent
	deferStream
	durationForm
	durationNegative
	durationZero
	errorCode
	errorContract
	errorHTTP
	mapUndeclared
	mapDeclared
	mapNowhere
	mapPlaceholder
	mapType
	mapToAndHandled
	errorPlaceholder
	placeholderOfType
	placeholderTwice
	errorNotFromCallee
	mapNotFromCallee
	reasonTwice
	retryDelayUseless
	translationLocale
	translationMissing
	translationExtra
	translationType
	callUndeclared
	errorZero
	metricOneName
	labelOneName
	errorOneName
	goNameTwice
	methodNameTwice
	packageMain
	packageImported
	packageTaken
	packageCase
	importPath
	goRuntimeRange
	hedgeAttempts
	hedgeDelayMissing
	hedgeDelay
	hedgeNotIdempotent
	hedgeRetry
	hedgeStream
	httpCalleeName
	httpCalleeTaken
	httpCalleeURL
	corsUnused
	corsMissing
	corsOrigin
	corsAnybody
	corsBeside
	corsAge
	httpCalleePort
	httpCalleeAttempts
	fileBuilt
	bodyUnknown
	bodyNested
	bodyBound
	bodyGet
	routeMissing
	routeForm
	routeKind
	routeTwice
	bindingNested
	routeStream
	variableUnknown
	variableThrough
	variableType
	keyOnStream
	keyUnknown
	keyNested
	keyType
	keyEmpty
	keyMissing
	scopeUnused
	scopeUnknown
	retentionUnused
	importCycle
	packageCycle
	labelValueForm
	systemLength
	networkLabel
	secretName
	secretKeyForm
	reloadInside
	secretKeyTwice
	secretKeyUseless
	secretKeyVariable
	migrationsSecretUseless
	migrationsUnknown
	priorityClassName
	namespaceName
	limitSize
	limitsMemory
	linkedFile
	linkedService
	methodConcurrency
	bucketsUnused
	bucketsFinite
	bucketsAscending
	propagateForm
	propagateReserved
	propagateCount
	propagateBytes
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
	monitorKind
	intervalRange
	intervalUnused
	networkCIDR
	networkDatabase
	networkNamespace
	networkNoPaths
	networkPodsMissing
	portRange
	portTwice
	probeStartup
	probeFailures
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
	inFlightFixed
	inFlightStreams
	inFlightLimit
	scaleMemory
	scaleRange
	scaleStorage
	serviceName
	nameHeadless
	nameFolder
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
	configAny
	configValue
	calleeUncalled
	variableTwice
)

// diagnostics is everything that Build says about a contract that cannot work.
var diagnostics = [...]fault.Message{
	breakerOff:         {Rule: "breaker", Format: "is set on a breaker that is off (remove one of the two)"},
	breakerPercent:     {Rule: "breaker", Format: "%d is not a share in percent (want 1 to 100)"},
	callCycle:          {Rule: "call-cycle", Format: "%q closes a cycle of calls: %s"},
	callForm:           {Rule: "call-format", Format: "%q does not name a method (want for example %q)"},
	callService:        {Rule: "call-format", Format: "%q: %q is not the name of a service"},
	callNoMethod:       {Rule: "call-format", Format: "%q names no method behind the slash (want for example %q)"},
	callMethod:         {Rule: "call-format", Format: "%q: %q is not the name of a method"},
	calleeForm:         {Rule: "call-format", Format: "%q is not the name of a service"},
	calleeBalance:      {Rule: "callee-balance", Format: "%v is not a known policy"},
	calleeConnections:  {Rule: "callee-connections", Format: "%d is too many (want 1 to %d)"},
	defaultYAML:        {Rule: "config-default", Format: "%q is not YAML"},
	defaultValue:       {Rule: "config-default", Format: "%q: %v"},
	defaultBreaks:      {Rule: "config-default", Format: "%q breaks the rule %s of its field: %s (the service would not start with it: change one of the two)"},
	defaultOneof:       {Rule: "config-default", Format: "is set, and that of %s too, of which only one can be (both are in oneof %s)"},
	deadlineBudget:     {Rule: "deadline-budget", Format: "%q is less than its calls may take one after the other, %v (raise it, or lower theirs)"},
	metricTwice:        {Rule: "declared-twice", Format: "%q is declared twice"},
	labelValueTwice:    {Rule: "declared-twice", Format: "of label %q have one twice"},
	calleeTwice:        {Rule: "declared-twice", Format: "%q has settings twice"},
	corsTwice:          {Rule: "declared-twice", Format: "%q is declared twice"},
	propagateTwice:     {Rule: "declared-twice", Format: "%q is declared twice"},
	mapTwice:           {Rule: "declared-twice", Format: "%q is mapped twice"},
	translationTwice:   {Rule: "declared-twice", Format: "%q is a language that has a message already"},
	errorTwice:         {Rule: "declared-twice", Format: "%q is declared twice"},
	callTwice:          {Rule: "declared-twice", Format: "%q is declared twice"},
	deferNoDatabase:    {Rule: "deferred-call", Format: "%q is deferred, and the service has no database for its outbox (add (svc.v1.service).database, or name the method under calls)"},
	deferNotIdempotent: {Rule: "deferred-call", Format: "%q is not idempotent, and an outbox may call it twice (set its idempotency_key, or its option idempotency_level of protobuf)"},
	deferStream:        {Rule: "deferred-call", Format: "%q is a %s method: only unary methods can be called through an outbox"},
	durationForm:       {Rule: "duration-format", Format: "%q is not a duration (want for example %q)"},
	durationNegative:   {Rule: "duration-format", Format: "%q is negative (want for example %q)"},
	durationZero:       {Rule: "duration-format", Format: "%q is not above zero (want for example %q)"},
	errorCode:          {Rule: "error-code", Format: "is missing, OK or unknown: an error needs a code (for example NOT_FOUND)"},
	errorContract:      {Rule: "error-contract", Format: "%v is not a known contract"},
	errorHTTP:          {Rule: "error-http-status", Format: "%d is not the status of an error (want 400 to 599)"},
	mapUndeclared:      {Rule: "error-mapping", Format: "%q is not declared by the method (add it under errors)"},
	mapDeclared:        {Rule: "error-mapping", Format: "%q is declared by the method too, which would never return it (remove it under errors, or here)"},
	mapNowhere:         {Rule: "error-mapping", Format: "does not say what becomes of %q (name an error of the method under to, or set handled where the handler deals with it)"},
	mapPlaceholder:     {Rule: "error-mapping", Format: "%q needs %s, which %q does not carry (make it a placeholder there, or leave it out here)"},
	mapType:            {Rule: "error-mapping", Format: "%q has {%s} as %s, which %q carries as %s (give both one type, or make it a string here)"},
	mapToAndHandled:    {Rule: "error-mapping", Format: "%q is set beside handled, which says that no caller gets an error (remove one of the two)"},
	placeholderOfType:  {Rule: "error-message", Format: "%q has %q with %v"},
	placeholderTwice:   {Rule: "error-message", Format: "%q has {%s} as %s and as %s (give it one type)"},
	errorPlaceholder:   {Rule: "error-message", Format: "%q has %q, which is not a placeholder (want for example {user_id})"},
	errorNotFromCallee: {Rule: "error-not-from-callee", Format: "%q is an error of package %s, and no method under calls returns it (declare it there, or call a method that returns it)"},
	mapNotFromCallee:   {Rule: "error-not-from-callee", Format: "%q is returned by no method under calls (call a method that returns it, or remove the mapping)"},
	reasonTwice:        {Rule: "error-reason-taken", Format: "is also a reason of %s, in the same domain %q (give one of the enums another domain)"},
	retryDelayUseless:  {Rule: "error-retry-delay", Format: "%q is set on an error that is not retryable (set retryable, or remove it)"},
	translationLocale:  {Rule: "error-translation", Format: "%q is not a language tag (want for example %q)"},
	translationMissing: {Rule: "error-translation", Format: "is missing: give the message in %q"},
	translationType:    {Rule: "error-translation", Format: "%q has {%s} as %s, which the message of the error has as %s (the type need not be said here)"},
	translationExtra:   {Rule: "error-translation", Format: "%q has %s, which the message of the error does not have"},
	callUndeclared:     {Rule: "error-undeclared", Format: "%q may return %s, which the contract neither maps nor declares, and a strict contract makes INTERNAL of (map it to an error under map_errors, or set handled there where the handler deals with it, or declare it under errors)"},
	errorZero:          {Rule: "error-zero", Format: "is the zero value, which stands for no error (move (svc.v1.error) to another value)"},
	metricOneName:      {Rule: "go-name", Format: "%q and %q are one name in Go"},
	labelOneName:       {Rule: "go-name", Format: "%q and %q are one name in Go"},
	errorOneName:       {Rule: "go-name", Format: "%q has {%s} and {%s}, which are one name in Go"},
	goNameTwice:        {Rule: "go-name", Format: "becomes %s%s, as does %s (rename one of them)"},
	methodNameTwice:    {Rule: "go-name", Format: "becomes %s in Go, as does %s (rename one of them)"},
	packageMain:        {Rule: "go-package", Format: "has go_package %q: nothing can import a package main (choose another name)"},
	packageImported:    {Rule: "go-package", Format: "imports %q, whose go_package %q nothing can import: it is a package main (choose another name)"},
	packageTaken:       {Rule: "go-package", Format: "becomes the Go package %q, which is also go_package of %s (choose another there)"},
	packageCase:        {Rule: "go-package", Format: "becomes the Go package %q, which differs in case only from %q of %s: Go builds just one of them (rename one)"},
	importPath:         {Rule: "go-package", Format: "go_package has the import path %q, which Go does not accept (want for example %q)"},
	goRuntimeRange:     {Rule: "go-runtime", Format: "%d is out of range (want %d to %d)"},
	hedgeAttempts:      {Rule: "hedge-attempts", Format: "%d is out of range (want 2 or 3)"},
	hedgeDelayMissing:  {Rule: "hedge-delay", Format: "is missing (want about the 95th percentile of the latency, for example %q)"},
	hedgeDelay:         {Rule: "hedge-delay", Format: "%q is not below the timeout %q, so there would be no further request"},
	hedgeNotIdempotent: {Rule: "hedge-not-idempotent", Format: "is set on a method that is not idempotent (set idempotency_key, or the option idempotency_level of protobuf)"},
	hedgeRetry:         {Rule: "hedge-retry", Format: "is set beside retry (remove one of them: a hedged call goes on after a failure too)"},
	hedgeStream:        {Rule: "hedge-stream", Format: "is set on a %s method: only unary methods can be hedged"},
	httpCalleeName:     {Rule: "http-callee", Format: "%q is not a name in snake case (want for example %q)"},
	httpCalleeTaken:    {Rule: "http-callee", Format: "%q becomes %s in Go, which is %s (choose another name)"},
	httpCalleeURL:      {Rule: "http-callee", Format: "%q is not a URL of http or https without user, query and fragment (want for example %q)"},
	httpCalleePort:     {Rule: "http-callee", Format: "%q has a port that is no TCP port (want 1 to 65535)"},
	httpCalleeAttempts: {Rule: "http-callee", Format: "%d is too many (want 1 to %d)"},
	fileBuilt:          {Rule: "go-package", Format: "becomes %s, which Go builds on one platform only (rename the file)"},
	corsUnused:         {Rule: "cors", Format: "has no effect: no method has a path of HTTP (set google.api.http on one, or remove this)"},
	corsMissing:        {Rule: "cors", Format: "is missing (want for example %q)"},
	corsOrigin:         {Rule: "cors", Format: "%q is not an origin as browsers send it: scheme, host in lower case, and a port that is not the scheme's own (want for example %q)"},
	corsAnybody:        {Rule: "cors", Format: "%q is set beside credentials, which browsers refuse (list the origins, or remove credentials)"},
	corsBeside:         {Rule: "cors", Format: "%q is set beside other origins (remove them, or this)"},
	corsAge:            {Rule: "cors", Format: "%q is out of range (want whole seconds, \"1s\" to \"24h\")"},
	bodyUnknown:        {Rule: "http-body", Format: "%q is not a field of %s%s"},
	bodyNested:         {Rule: "http-body", Format: "%q is inside a field (want a field of %s itself)"},
	bodyBound:          {Rule: "http-body", Format: "%q is bound by the path %q, too (remove one of them)"},
	bodyGet:            {Rule: "http-body", Format: "%q is set beside get: what lies between may drop the body of a GET (use post, or leave the fields to the query)"},
	routeMissing:       {Rule: "http-path", Format: "is missing (want get, put, post, delete, patch or custom)"},
	routeForm:          {Rule: "http-path", Format: "%q is not a path: %s"},
	routeKind:          {Rule: "http-path", Format: "%q is not a method of HTTP (want for example \"HEAD\", or \"*\" for all)"},
	routeTwice:         {Rule: "http-path", Format: "%q matches the requests of %q, which is the path of %s (%s)"},
	bindingNested:      {Rule: "http-path", Format: "is set inside additional_bindings, which do not nest (move it one level up)"},
	routeStream:        {Rule: "http-stream", Format: "(google.api.http) is set on a %s method: HTTP/JSON has no stream of requests (remove it)"},
	variableUnknown:    {Rule: "http-variable", Format: "has the variable %q: %q is not a field of %s%s"},
	variableThrough:    {Rule: "http-variable", Format: "has the variable %q: %q is of type %s, which has no fields that a path can set (want a message that is not repeated)"},
	variableType:       {Rule: "http-variable", Format: "has the variable %q, which is of type %s: it has no form as text (want a scalar, an enum, a wrapper, a Timestamp, a Duration or a FieldMask)"},
	keyOnStream:        {Rule: "idempotency-key", Format: "%q is set on a method whose request is a stream"},
	keyUnknown:         {Rule: "idempotency-key", Format: "%q is not a field of %s%s"},
	keyNested:          {Rule: "idempotency-key", Format: "%q is inside a message of the request (want a string field of %s itself)"},
	keyType:            {Rule: "idempotency-key", Format: "%q is not a string field"},
	keyEmpty:           {Rule: "idempotency-key", Format: "%q may be empty (add a rule of buf.validate that refuses the empty string, for example string.min_len = 1%s)"},
	keyMissing:         {Rule: "idempotency-key", Format: "is set without idempotency_key (set that too, or remove this)"},
	scopeUnused:        {Rule: "idempotency-scope", Format: "%q has no effect: the runtime does not keep the key of this method (remove it)"},
	scopeUnknown:       {Rule: "idempotency-scope", Format: "%q is not a key under propagate%s (declare it there)"},
	retentionUnused:    {Rule: "idempotency-retention", Format: "%q has no effect: no method has an idempotency_key that the runtime keeps (remove it)"},
	importCycle:        {Rule: "import-cycle", Format: "closes a cycle, which Go cannot import: %s (move what is needed to a package of its own)"},
	packageCycle:       {Rule: "import-cycle", Format: "import %q closes a cycle of Go packages, which Go cannot build: %s (move what both need to a package of its own, or give the files one go_package)"},
	labelValueForm:     {Rule: "kubernetes-label", Format: "%q is not a Kubernetes label value (letters, digits, \"-\", \"_\", \".\"; at most 63)"},
	networkLabel:       {Rule: "kubernetes-label", Format: "%q is not a label with its value (want for example %q)"},
	namespaceName:      {Rule: "kubernetes-name", Format: "%q is not the name of a namespace (want for example %q)"},
	systemLength:       {Rule: "kubernetes-label", Format: "%q is too long for the label app.kubernetes.io/instance of its overlays (want at most %d characters)"},
	secretName:         {Rule: "kubernetes-name", Format: "%q is not the name of a Kubernetes Secret"},
	secretKeyForm:      {Rule: "secret-key", Format: "%q is not a key of a Kubernetes Secret (letters, digits, \"-\", \"_\", \".\"; at most 253)"},
	reloadInside:       {Rule: "reload-inside", Format: "RELOAD_HOT has no effect: the section %q around it changes with a restart alone (say RELOAD_RESTART of its other fields instead)"},
	secretKeyTwice:     {Rule: "secret-key", Format: "%q is also the key of %s (choose another)"},
	secretKeyUseless:   {Rule: "secret-key", Format: "%q is set on a field that is no secret (set the option debug_redact, or remove it)"},
	secretKeyVariable:  {Rule: "secret-key", Format: "%q is set on a field that no environment variable can set (make it a single value, or remove it)"},

	migrationsSecretUseless: {Rule: "migrations", Format: "is set where each replica migrates (set migrations to MIGRATIONS_JOB, or remove it)"},
	migrationsUnknown:       {Rule: "migrations", Format: "%v is not known (want MIGRATIONS_AT_START or MIGRATIONS_JOB)"},

	priorityClassName:  {Rule: "kubernetes-name", Format: "%q is not the name of a Kubernetes PriorityClass"},
	limitsMemory:       {Rule: "limits-memory", Format: "does not fit in memory: %s are %s, GOMEMLIMIT is %s of %q (lower it, or raise (svc.v1.service).scale.memory to %q)"},
	limitSize:          {Rule: "limit-size", Format: "%q is no size of what a call may send (want %q to %q)"},
	linkedFile:         {Rule: "linked", Format: "%q is in every generated service already, by the Go package %q, and a second one would be a panic at the start (leave this file out of the inputs, and import %q with that go_package)"},
	linkedService:      {Rule: "linked", Format: "%q is served by every generated service already, and a second one would be a panic at the start (leave its file out of the inputs)"},
	methodConcurrency:  {Rule: "method-concurrency", Format: "%d is never reached: the server refuses above %d in progress (lower it, or raise (svc.v1.service).limits.concurrency)"},
	bucketsUnused:      {Rule: "metric-buckets", Format: "are set on a metric that is not a histogram"},
	bucketsFinite:      {Rule: "metric-buckets", Format: "are not all finite (the bucket above the last bound is always there)"},
	bucketsAscending:   {Rule: "metric-buckets", Format: "are not ascending"},
	propagateForm:      {Rule: "metadata-key", Format: "%q is not a metadata key that can travel (want lower-case letters, digits, \"-\", \"_\", \".\", without \"-bin\" at the end; for example %q)"},
	propagateReserved:  {Rule: "metadata-key", Format: "%q belongs to the transport, to tracing or to one hop alone (choose a key of your own)"},
	propagateCount:     {Rule: "metadata-limit", Format: "has %d keys, want at most %d"},
	propagateBytes:     {Rule: "metadata-limit", Format: "%d is too much for metadata (want at most %d)"},
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
	monitorKind:        {Rule: "monitoring", Format: "%v is not a known monitor"},
	intervalRange:      {Rule: "monitoring", Format: "%q is not a time between two scrapes (want whole seconds, from \"5s\" to \"5m\")"},
	intervalUnused:     {Rule: "monitoring", Format: "%q has no effect: nothing makes Prometheus scrape the service (remove it)"},
	networkCIDR:        {Rule: "network", Format: "%q is not a range of addresses without bits behind its prefix (want for example %q)"},
	networkDatabase:    {Rule: "network", Format: "does not say one place (set cidr, or pods, and not both)"},
	networkNamespace:   {Rule: "network", Format: "%q is set without pods, which it is about (set pods, or remove it)"},
	networkNoPaths:     {Rule: "network", Format: "%q lets callers in to HTTP/JSON, which the service has not (give a method a path with google.api.http, or remove it)"},
	networkPodsMissing: {Rule: "network", Format: "is missing: name the label of the pods (for example %q)"},
	portRange:          {Rule: "port-range", Format: "%d is not a TCP port (want 1 to 65535)"},
	portTwice:          {Rule: "port-taken", Format: "%d is also ports.%s"},
	probeStartup:       {Rule: "probes", Format: "%q is out of range (want %q to %q)"},
	probeFailures:      {Rule: "probes", Format: "%d is out of range (want %d to %d)"},
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
	inFlightFixed:      {Rule: "scale-in-flight", Format: "%d has no effect: the number of replicas is fixed at %d (raise max, or remove it)"},
	inFlightStreams:    {Rule: "scale-in-flight", Format: "%d has no effect: the service has no unary method, and streams do not count (remove it)"},
	inFlightLimit:      {Rule: "scale-in-flight", Format: "%d is never reached: the server refuses above %d in progress (lower it, or raise (svc.v1.service).limits.concurrency)"},
	scaleMemory:        {Rule: "scale-memory", Format: "%q is no memory of a Go service (want %q to %q)"},
	scaleRange:         {Rule: "scale-range", Format: "%d is below min %d"},
	scaleStorage:       {Rule: "scale-storage", Format: "%q is no disk of a service that writes its log (want %q to %q)"},
	serviceName:        {Rule: "service-name", Format: "%q is not a name in kebab case of at most %d characters (want for example %q)"},
	nameHeadless:       {Rule: "service-name", Format: "%q is the name of the headless Service of %q (choose another)"},
	nameFolder:         {Rule: "service-name", Format: "%q is a folder that the go command treats in its own way (choose another)"},
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
	configAny:          {Rule: "config-type", Format: "a google.protobuf.Any has no form in YAML (use a oneof of the messages that it may hold, or google.protobuf.Struct)"},
	configValue:        {Rule: "config-type", Format: "%s is one value, not a message of settings (make it a field of one)"},
	configUnknown:      {Rule: "unknown-message", Format: "%q is not a known message%s"},
	calleeUncalled:     {Rule: "unused-callee", Format: "%q is not called by any method%s"},
	variableTwice:      {Rule: "variable-taken", Format: "the environment variable of setting %s is %s, as is that of %s of %s (rename one of them)"},
}

// Messages are all that the package can say.
func Messages() []fault.Message { return diagnostics[:] }
