package config

import (
	"reflect"

	"segue/delivery"
	"segue/interaction"
	"segue/request"
	"segue/trigger"
)

// block is what the schema says of a struct of the file beyond its types.
type block struct {
	// name is the block's own in the schema, for those that stand in several places.
	name string
	keys map[string]key
	// rules are what holds between keys.
	rules []object
}

// key is what the schema says of one key.
type key struct {
	// about tells people what the key is for; editors show it.
	about string
	// need says that a block without the key is refused.
	need bool
	// value is what each single value must be, beyond its type.
	value object
	// least and most bound the entries of a list; 0 is no bound.
	least, most int
	// names are the keys of a map.
	names []string
}

func (b block) needsKeys() bool {
	for _, k := range b.keys {
		if k.need {
			return true
		}
	}
	return false
}

func among[T ~string](values []T) object { return object{"enum": values} }

func matching(pattern string) object { return object{"pattern": pattern} }

func within(r numbers) object { return object{"minimum": r.least, "maximum": r.most} }

// given is a text that is not empty.
var given = object{"minLength": 1}

// ref refers to one of kinds.
func ref(name string) object { return object{"$ref": "#/$defs/" + name} }

// kinds are the values that stand in many places.
var kinds = map[string]object{
	"channel": among(interaction.Channels()),
	"leg":     among(trigger.Legs()),
	"moment":  among(trigger.Moments()),
	"segment": among(trigger.Stages()),
	"duration": {"examples": []string{"30s", "5m", "1h30m"}, "anyOf": []object{
		{"type": "string", "pattern": `^\+?(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+$|^\+?0$`}, {"const": 0}}},
	"secret": {"type": "string", "pattern": `^(env|file):[^\n\r\x00]+$`, "examples": []string{"env:NAME", "file:/path"}},
	"size":   {"type": []string{"string", "integer"}, "minimum": 0, "examples": []string{"64KiB", "1MiB"}, "pattern": sizePattern.String()},
	"status": {"type": []string{"string", "integer"}, "minimum": 100, "maximum": 599, "examples": []string{"2xx", "404", "200-204"},
		"pattern": statusPattern.String()},
	"url": {"type": "string", "pattern": "^[hH][tT][tT][pP][sS]?://[^/?#]"},
	"xml": {"type": []string{"object", "string", "number", "boolean", "null"}},
}

// A pair has a name, or an expression for a value, whose keys are spread; a header
// always has one.
var (
	namedOrSpread = object{"anyOf": []object{{"required": []string{"name"}}, {"properties": object{"value": object{"pattern": `^\$\{`}}}}}
	namedHeaders  = object{"properties": object{"headers": object{"items": object{"required": []string{"name"}}}}}
)

// atMostOne is the rule that of some keys no two have a value.
func atMostOne(names ...string) []object {
	var rules []object
	for _, name := range names {
		others := object{}
		for _, other := range names {
			if other != name {
				others[other] = object{"type": "null"}
			}
		}
		has := object{"required": []string{name}, "properties": object{name: object{"not": object{"type": "null"}}}}
		if name == "json" {
			has = object{"required": []string{name}} // null is JSON, too
		}
		rules = append(rules, object{"if": has, "then": object{"properties": others}})
	}
	return rules
}

// blocks describe the file, block by block. What is missing here, Schema tells.
var blocks = map[reflect.Type]block{
	reflect.TypeFor[file](): {keys: map[string]key{
		"calls":      {about: "The requests that Segue sends.", most: maxCalls},
		"triggers":   {about: "When they are sent. One event fires a call once, however many triggers fit.", most: trigger.MaxTriggers},
		"engagement": {about: "The GWE backend that hears engage and noengage."},
		"alerts":     {about: "When operators are told of a failing receiver."},
		"timeouts":   {about: "Timers of interactions; 0s is off."},
		"priorities": {about: "Whose turn it is when there is more to do than workers can."},
		"queues":     {about: "Queues; one that is not listed works with the defaults.", most: maxList},
		"desktop":    {about: "What agent desktops are offered."},
		"guard":      {about: "The way out: what calls may reach besides public addresses, and how."},
		"temporal":   {about: "The Temporal that Segue runs on."},
		"log":        {about: "How a process logs."},
		"gateway":    {about: "The HTTP and WebSocket faces."},
		"metrics":    {about: "Metrics and health, over HTTP."},
	}},
	reflect.TypeFor[fileCall](): {name: "call", rules: append(atMostOne("json", "form", "xml", "soap", "text"), namedHeaders), keys: map[string]key{
		"name":       {about: "What triggers call it by.", need: true, value: matching(namePattern.String())},
		"method":     {about: "The HTTP method.", need: true, value: among(request.Methods)},
		"url":        {about: "Where it goes. Scheme and host stand as they are; expressions may follow.", need: true, value: ref("url")},
		"query":      {about: "Parameters that are added to the URL.", most: request.MaxPairs},
		"headers":    {about: "Headers besides webhook-id, Idempotency-Key, Content-Type and User-Agent.", most: request.MaxPairs},
		"json":       {about: "A JSON body: its strings may hold ${ expressions } and #data_elements#. A string that is one expression keeps its type."},
		"form":       {about: "A body of fields, application/x-www-form-urlencoded.", most: request.MaxPairs},
		"xml":        {about: "An XML body."},
		"soap":       {about: "A SOAP envelope around one operation."},
		"text":       {about: "A body of plain text."},
		"accept":     {about: "What the response is written in; without it, what its Content-Type says.", value: among(delivery.Formats)},
		"auth":       {about: "How the call authenticates, in one way."},
		"sign":       {about: "Sign the body as Standard Webhooks does."},
		"tls":        {about: "What the receiver must show, instead of what the system trusts."},
		"timeout":    {about: "The deadline of one attempt in all, from 10ms to 10m."},
		"success":    {about: "Statuses that count as delivered: 2xx, 404, 200-204."},
		"final":      {about: "Statuses and classes of outcomes that no retry will help, besides Segue's own: 409, tls."},
		"retriable":  {about: "Those that one may help where Segue would give up: 404, blocked."},
		"cleartext":  {about: "Credentials may cross the network in plain text: for http:// in a network that you trust."},
		"idempotent": {about: "It may be repeated when its outcome is not known; false parks it then."},
		"inline":     {about: "It may be sent inside the workflow task; with false always by an Attempt activity, after what caused it is durable."},
		"dry_run":    {about: "Rendered and recorded, not sent. What waits when a call becomes a dry run is parked."},
		"order":      {about: "What the calls of an interaction do behind a parked one.", value: among([]delivery.Order{delivery.OrderBlock, delivery.OrderSkip, delivery.OrderUnordered})},
		"missing":    {about: "What becomes of a value that does not exist: the empty string, left out, null, or the delivery is parked."},
		"retry":      {about: "When a failed attempt is repeated."},
		"limits":     {about: "What the call may take of a process and of its receiver."},
		"returns":    {about: "Flat keys of the response that are written into user data.", most: maxReturns},
		"mappings":   {about: "Values that are replaced. The first that fits wins.", most: request.MaxPairs},
	}},
	reflect.TypeFor[request.Pair](): {name: "pair", rules: []object{namedOrSpread}, keys: map[string]key{
		"name":  {about: "Its name, case and all. Without one, among query parameters and form fields, each key of the object that value gives is one.", value: given},
		"value": {about: "Its value; may hold ${ expressions } and #data_elements#. In a header also ${delivery.id} and ${delivery.attempt}."},
	}},
	reflect.TypeFor[request.Mapping](): {name: "mapping", keys: map[string]key{
		"from": {about: "The text of a value."},
		"to":   {about: "What is sent instead."},
	}},
	reflect.TypeFor[request.XML](): {keys: map[string]key{
		"root":      {about: "The name of the outermost element.", need: true, value: given},
		"namespace": {about: "The namespace of all elements."},
		"body":      {about: `What is in it: a key is an element, a list repeats it, "@name" is an attribute, "#text" the text beside attributes.`, value: ref("xml")},
	}},
	reflect.TypeFor[request.SOAP](): {keys: map[string]key{
		"service":   {about: "The service whose endpoint the URL is, as its description has it; not sent."},
		"port":      {about: "The port of that service; not sent."},
		"version":   {about: "The version of SOAP.", value: object{"enum": []any{"1.1", "1.2", 1.1, 1.2}}},
		"action":    {about: "The header SOAPAction of 1.1, the parameter action of 1.2."},
		"namespace": {about: "The namespace of the operation and what is in it."},
		"operation": {about: "The element in the body.", need: true, value: given},
		"header":    {about: `The blocks of the envelope's Header, as in body: WS-Addressing, a session, a tenant. A password does not belong here.`, value: ref("xml")},
		"body":      {about: `What is in it: a key is an element, a list repeats it, "@name" is an attribute, "#text" the text beside attributes.`, value: ref("xml")},
	}},
	reflect.TypeFor[fileAuth](): {name: "auth", rules: atMostOne("basic", "bearer", "api_key", "oauth2", "mtls"), keys: map[string]key{
		"basic":   {about: "HTTP basic authentication."},
		"bearer":  {about: "A fixed token: env:NAME or file:PATH."},
		"api_key": {about: "A key in a header or in the query."},
		"oauth2":  {about: "Tokens by the OAuth 2 client credentials grant."},
		"mtls":    {about: "A client certificate."},
		"sign":    {about: "As sign beside auth."},
	}},
	reflect.TypeFor[fileBasic](): {keys: map[string]key{
		"username": {about: "env:NAME or file:PATH.", need: true, value: ref("secret")},
		"password": {about: "env:NAME or file:PATH.", need: true, value: ref("secret")},
	}},
	reflect.TypeFor[fileAPIKey](): {keys: map[string]key{
		"in":   {about: "Where the key goes; a header unless said.", value: among([]string{"header", "query", ""})},
		"name": {about: "The name of the header or parameter.", need: true, value: given},
		"key":  {about: "env:NAME or file:PATH.", need: true, value: ref("secret")},
	}},
	reflect.TypeFor[fileOAuth2](): {keys: map[string]key{
		"token_url":     {about: "Where tokens come from.", need: true, value: ref("url")},
		"client_id":     {about: "env:NAME or file:PATH.", need: true, value: ref("secret")},
		"client_secret": {about: "env:NAME or file:PATH.", need: true, value: ref("secret")},
		"scopes":        {about: "What the token is asked for.", most: maxList},
		"params":        {about: "What the token URL wants besides, such as an audience.", most: maxParams},
		"tls":           {about: "What the token URL must show, instead of what the system trusts."},
	}},
	reflect.TypeFor[fileParam](): {keys: map[string]key{
		"name":  {about: "The parameter's name.", need: true, value: given},
		"value": {about: "Its value; no secret."},
	}},
	reflect.TypeFor[fileMTLS](): {keys: map[string]key{
		"certificate": {about: "The certificate, PEM: file:PATH or env:NAME.", need: true, value: ref("secret")},
		"key":         {about: "Its private key, PEM: file:PATH or env:NAME.", need: true, value: ref("secret")},
	}},
	reflect.TypeFor[fileSign](): {name: "sign", keys: map[string]key{
		"secrets": {about: "The secrets, whsec_ and base64 of 24 to 64 bytes, the newest first: env:NAME or file:PATH.", need: true, value: ref("secret"), least: 1, most: maxSecrets},
	}},
	reflect.TypeFor[fileCallTLS](): {name: "tls", keys: map[string]key{
		"ca":          {about: "Authorities that are trusted instead of the system's, PEM: file:PATH or env:NAME.", value: optional(checkSecret).schema},
		"server_name": {about: "The name that the certificate must have, instead of the URL's host."},
	}},
	reflect.TypeFor[fileRetry](): {keys: map[string]key{
		"schedule":  {about: "The waits between attempts: n waits make n+1 attempts.", most: maxSchedule},
		"jitter":    {about: "The part by which each wait is spread, either way.", value: within(jitterNumbers)},
		"retention": {about: "How long a parked delivery waits for an operator."},
	}},
	reflect.TypeFor[fileLimits](): {keys: map[string]key{
		"concurrency": {about: "Attempts at once of each worker; 0 is unlimited.", value: within(concurrencyNumbers)},
		"rate":        {about: "Attempts in a second of each worker; 0 is unlimited.", value: within(rateNumbers)},
		"response":    {about: "Bytes of a response that are read, at most 16MiB: 64KiB."},
	}},
	reflect.TypeFor[fileReturn](): {keys: map[string]key{
		"from": {about: "A key of the response.", need: true, value: given},
		"to":   {about: "A key of user data.", need: true, value: given},
	}},
	reflect.TypeFor[fileTrigger](): {name: "trigger", keys: map[string]key{
		"when":               {about: "The moment, or several.", need: true, value: ref("moment"), most: trigger.MaxValues},
		"call":               {about: "The name of the call that is made.", need: true, value: given},
		"segments":           {about: "Only these segments, for segment_change: name, or name.leg.", value: ref("segment"), most: trigger.MaxValues},
		"legs":               {about: "Only these legs, for segment_change.", value: ref("leg"), most: trigger.MaxValues},
		"from":               {about: "Only when the leg was in one of these segments, for segment_change.", value: ref("segment"), most: trigger.MaxValues},
		"to":                 {about: "Only when the leg enters one of these segments, for segment_change.", value: ref("segment"), most: trigger.MaxValues},
		"channels":           {about: "Only on these channels.", value: ref("channel"), most: trigger.MaxValues},
		"queues":             {about: "Only in these queues.", most: trigger.MaxValues},
		"business_processes": {about: "Only in these business processes.", most: trigger.MaxValues},
		"dispositions":       {about: "Only with one of these disposition codes.", most: trigger.MaxValues},
		"if":                 {about: "A condition in CEL, without ${ }; what is missing makes it false."},
		"dry_run":            {about: "Rendered and recorded, not sent."},
	}},
	reflect.TypeFor[fileEngagement](): {keys: map[string]key{
		"backend": {about: "Its URL without a path. Brings the calls engage and noengage with it."},
	}},
	reflect.TypeFor[fileAlerts](): {keys: map[string]key{
		"failing_after":   {about: "How long a receiver fails until operator.delivery_failing fires."},
		"recovered_after": {about: "How long it delivers without failing until operator.receiver_recovered fires."},
		"remind_every":    {about: "How often operators are told again of what still fails or is still parked, with event.reason \"reminder\"; 0s is never."},
	}},
	reflect.TypeFor[fileTimeouts](): {keys: map[string]key{
		"default":  {about: "Those of every channel."},
		"channels": {about: "What is different on a channel.", names: channelNames()},
	}},
	reflect.TypeFor[fileDefaults]():  {keys: timerDescriptions()},
	reflect.TypeFor[fileOverrides](): {name: "timeouts", keys: timerDescriptions()},
	reflect.TypeFor[fileQueue](): {name: "queue", keys: map[string]key{
		"name":             {about: "The queue's name.", need: true, value: given},
		"business_process": {about: "The business process of its interactions that name none themselves."},
		"overflow":         {about: "The queue that takes over when waiting took too long; without one, the interaction ends."},
		"max_misses":       {about: "Missed offers that count as overflowing; 0 is unlimited.", value: within(missesNumbers)},
		"priority":         {about: "Of its interactions, before that of their channel; 1 goes first.", value: within(priorityNumbers)},
		"timeouts":         {about: "What is different in this queue."},
	}},
	reflect.TypeFor[filePriorities](): {keys: map[string]key{
		"default":  {about: "Of every interaction; 1 goes first, 5 last.", value: within(priorityNumbers)},
		"channels": {about: "What is different on a channel.", names: channelNames(), value: within(priorityNumbers)},
		"weights":  {about: "Contact centers that get their turn more or less often than others.", most: maxList},
	}},
	reflect.TypeFor[fileWeight](): {name: "weight", keys: map[string]key{
		"contact_center": {about: "Which one.", need: true, value: given},
		"weight":         {about: "How many turns it gets while another gets one.", need: true, value: within(weightNumbers)},
	}},
	reflect.TypeFor[fileDesktop](): {keys: map[string]key{
		"scripts":      {about: "Scripts that an agent may start.", most: maxList},
		"dispositions": {about: "Codes that an agent may choose.", most: maxList},
	}},
	reflect.TypeFor[Script](): {keys: map[string]key{
		"channel": {about: "Where it is offered.", need: true, value: ref("channel")},
		"id":      {about: "Its id, unique on the channel.", need: true, value: given},
		"name":    {about: "What agents see."},
	}},
	reflect.TypeFor[Disposition](): {keys: map[string]key{
		"channel": {about: "Where it is offered.", need: true, value: ref("channel")},
		"id":      {about: "Its id, unique on the channel.", need: true, value: given},
		"value":   {about: "The code that is recorded.", need: true, value: given},
		"labels":  {about: "What agents see, by language.", most: maxList},
	}},
	reflect.TypeFor[Label](): {keys: map[string]key{
		"language":    {about: "A language: en."},
		"country":     {about: "A country: US."},
		"name":        {about: "The short text."},
		"description": {about: "The longer one."},
	}},
	reflect.TypeFor[fileGuard](): {keys: map[string]key{
		"allow": {about: "Ranges, addresses and host names, each with a port or a range of ports behind a colon, or with all.", value: checkReach.schema, most: maxList},
		"proxy": {about: "The proxy that public addresses are reached through; HTTP_PROXY and its kin are not obeyed."},
	}},
	reflect.TypeFor[fileProxy](): {keys: map[string]key{
		"url":      {about: "http://host:port; it gets CONNECT with an address."},
		"username": {about: "env:NAME or file:PATH."},
		"password": {about: "env:NAME or file:PATH."},
	}},
	reflect.TypeFor[fileTemporal](): {keys: map[string]key{
		"address":    {about: "host:port of the Temporal frontend."},
		"namespace":  {about: "The namespace."},
		"task_queue": {about: "The task queue of the workers."},
		"api_key":    {about: "The key of Temporal Cloud: env:NAME or file:PATH."},
		"tls":        {about: "How the connection is secured."},

		"deployment":   {about: "The deployment that versioned workers belong to."},
		"build_id":     {about: "The version to run as; without one a worker is unversioned."},
		"auto_upgrade": {about: "The channels whose running interactions go over to new versions; the others stay."},
	}},
	reflect.TypeFor[fileTLS](): {keys: map[string]key{
		"enabled":     {about: "Use TLS."},
		"server_name": {about: "The name that the server's certificate must have."},
		"ca":          {about: "Authorities that are trusted, PEM: file:PATH or env:NAME."},
		"certificate": {about: "A client certificate, PEM: file:PATH or env:NAME."},
		"key":         {about: "Its private key, PEM: file:PATH or env:NAME."},
	}},
	reflect.TypeFor[fileLog](): {keys: map[string]key{
		"level":  {about: "What is logged."},
		"format": {about: "How a line is written."},
	}},
	// Of the gateway and of the metrics.
	reflect.TypeFor[fileAddress](): {keys: map[string]key{
		"address": {about: "Where it listens, host:port."},
	}},
}
