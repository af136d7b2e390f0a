package config

import (
	"reflect"

	"segue/delivery"
	"segue/interaction"
	"segue/request"
	"segue/trigger"
)

// block is what the schema says about a block of the file besides the types of its keys.
type block struct {
	// name is the name of the block in $defs, for a block that occurs in several places.
	name string
	keys map[string]key
	// rules are the rules between keys.
	rules []object
}

// key is what the schema says about one key.
type key struct {
	// about is the description that editors show.
	about string
	// need is true for a key that every block must have.
	need bool
	// value is what each single value must be, beyond its type.
	value object
	// least and most bound the number of entries of a list; 0 is no bound.
	least, most int
	// names are the keys that a map accepts.
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

// given is a text of at least one character.
var given = object{"minLength": 1}

// ref refers to one of the kinds.
func ref(name string) object { return object{"$ref": "#/$defs/" + name} }

// kinds are the values that occur in many places.
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

// A pair has a name, or a value that is one expression, whose keys become parameters. A
// header always has a name.
var (
	namedOrSpread = object{"anyOf": []object{{"required": []string{"name"}}, {"properties": object{"value": object{"pattern": `^\$\{`}}}}}
	namedHeaders  = object{"properties": object{"headers": object{"items": object{"required": []string{"name"}}}}}
)

// atMostOne is the rule that at most one of some keys has a value.
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
			has = object{"required": []string{name}} // null is JSON too
		}
		rules = append(rules, object{"if": has, "then": object{"properties": others}})
	}
	return rules
}

// blocks describe the file, block by block. Schema reports what is missing here.
var blocks = map[reflect.Type]block{
	reflect.TypeFor[file](): {keys: map[string]key{
		"calls":      {about: "The HTTP requests that Segue sends.", most: maxCalls},
		"triggers":   {about: "When the calls are sent. An event fires a call once, even if several triggers match.", most: trigger.MaxTriggers},
		"engagement": {about: "The GWE backend that receives engage and noengage."},
		"alerts":     {about: "When operators are notified of a failing receiver."},
		"timeouts":   {about: "Timers of interactions; 0s turns a timer off."},
		"priorities": {about: "Which interactions are processed first when the workers have a backlog."},
		"queues":     {about: "Queues. A queue that is not listed uses the defaults.", most: maxList},
		"desktop":    {about: "Scripts and dispositions that agent desktops offer."},
		"guard":      {about: "Which addresses calls may reach besides public ones, and through which proxy."},
		"temporal":   {about: "The Temporal service that Segue runs on."},
		"log":        {about: "Logging of the process."},
		"gateway":    {about: "The HTTP and WebSocket gateway."},
		"bus":        {about: "The bus that carries live notices from workers to gateways (NATS)."},
		"board":      {about: "The figures of queues that the gateway shows."},
		"metrics":    {about: "The HTTP endpoint for metrics and health."},
	}},
	reflect.TypeFor[fileCall](): {name: "call", rules: append(atMostOne("json", "form", "xml", "soap", "text"), namedHeaders), keys: map[string]key{
		"name":       {about: "The name of the call; triggers refer to it.", need: true, value: matching(namePattern.String())},
		"method":     {about: "The HTTP method.", need: true, value: among(request.Methods)},
		"url":        {about: "The URL of the receiver. Scheme and host are literal; the path and the query may contain expressions.", need: true, value: ref("url")},
		"query":      {about: "Query parameters to add to the URL.", most: request.MaxPairs},
		"headers":    {about: "Headers to send besides webhook-id, Idempotency-Key, Content-Type and User-Agent.", most: request.MaxPairs},
		"json":       {about: "A JSON body. Its strings may contain ${ expressions } and #data_elements#. A string that is one expression keeps the type of its value."},
		"form":       {about: "A body of form fields, application/x-www-form-urlencoded.", most: request.MaxPairs},
		"xml":        {about: "An XML body."},
		"soap":       {about: "A SOAP envelope with one operation."},
		"text":       {about: "A plain text body."},
		"accept":     {about: "The format of the response. Without it, the Content-Type of the response decides.", value: among(delivery.Formats)},
		"auth":       {about: "How the call authenticates. Give one way."},
		"sign":       {about: "Signs the body as Standard Webhooks specifies."},
		"tls":        {about: "How the receiver's certificate is verified, if not by the system's certificate authorities."},
		"timeout":    {about: "The deadline of one whole attempt, from 10ms to 10m."},
		"success":    {about: "HTTP statuses that count as delivered: 2xx, 404, 200-204."},
		"final":      {about: "HTTP statuses and outcome classes that are not retried, besides Segue's own: 409, tls."},
		"retriable":  {about: "HTTP statuses and outcome classes that are retried although Segue would give up: 404, blocked."},
		"cleartext":  {about: "Allows credentials over http://, in plain text. Use it only in a network that you trust."},
		"idempotent": {about: "Whether a request may be repeated when its outcome is unknown. With false, it is parked instead."},
		"inline":     {about: "Whether a request may be sent within the workflow task. With false, an Attempt activity always sends it, after the command that caused it is durable."},
		"dry_run":    {about: "Renders and records requests without sending them. Deliveries that wait when a call becomes a dry run are parked."},
		"order":      {about: "What happens to later deliveries of the same interaction while one is parked.", value: among([]delivery.Order{delivery.OrderBlock, delivery.OrderSkip, delivery.OrderUnordered})},
		"missing":    {about: "How a value that does not exist is sent: as the empty string (empty), not at all (omit), as null (null); or the delivery is parked (park)."},
		"retry":      {about: "When a failed attempt is retried."},
		"limits":     {about: "Limits on attempts and responses."},
		"returns":    {about: "Top-level keys of the response to write into user data.", most: maxReturns},
		"mappings":   {about: "Values to replace. The first match wins.", most: request.MaxPairs},
	}},
	reflect.TypeFor[request.Pair](): {name: "pair", rules: []object{namedOrSpread}, keys: map[string]key{
		"name":  {about: "The name, in the case in which it is sent. A query parameter or form field without a name sends each key of the object that its value gives.", value: given},
		"value": {about: "The value. It may contain ${ expressions } and #data_elements#; in a header also ${delivery.id} and ${delivery.attempt}."},
	}},
	reflect.TypeFor[request.Mapping](): {name: "mapping", keys: map[string]key{
		"from": {about: "The value to replace, as text."},
		"to":   {about: "The text to send instead."},
	}},
	reflect.TypeFor[request.XML](): {keys: map[string]key{
		"root":      {about: "The name of the root element.", need: true, value: given},
		"namespace": {about: "The namespace of all elements."},
		"body":      {about: `The content. A key is an element, a list repeats the element, "@name" is an attribute, and "#text" is the text of an element that has attributes.`, value: ref("xml")},
	}},
	reflect.TypeFor[request.SOAP](): {keys: map[string]key{
		"service":   {about: "The service whose endpoint the URL is, as in its WSDL. It is not sent."},
		"port":      {about: "The port of that service. It is not sent."},
		"version":   {about: "The SOAP version.", value: object{"enum": []any{"1.1", "1.2", 1.1, 1.2}}},
		"action":    {about: "The SOAPAction header of SOAP 1.1, or the action parameter of SOAP 1.2."},
		"namespace": {about: "The namespace of the operation and its content."},
		"operation": {about: "The element in the SOAP body.", need: true, value: given},
		"header":    {about: `The blocks of the envelope's Header, written as in body: WS-Addressing, a session, a tenant. Do not put a password here.`, value: ref("xml")},
		"body":      {about: `The content. A key is an element, a list repeats the element, "@name" is an attribute, and "#text" is the text of an element that has attributes.`, value: ref("xml")},
	}},
	reflect.TypeFor[fileAuth](): {name: "auth", rules: atMostOne("basic", "bearer", "api_key", "oauth2", "mtls"), keys: map[string]key{
		"basic":   {about: "HTTP basic authentication."},
		"bearer":  {about: "A fixed bearer token: env:NAME or file:PATH."},
		"api_key": {about: "An API key in a header or a query parameter."},
		"oauth2":  {about: "Tokens of the OAuth 2 client credentials grant."},
		"mtls":    {about: "A TLS client certificate."},
		"sign":    {about: "The same as sign next to auth."},
	}},
	reflect.TypeFor[fileBasic](): {keys: map[string]key{
		"username": {about: "The user name: env:NAME or file:PATH.", need: true, value: ref("secret")},
		"password": {about: "The password: env:NAME or file:PATH.", need: true, value: ref("secret")},
	}},
	reflect.TypeFor[fileAPIKey](): {keys: map[string]key{
		"in":   {about: "Where the key is sent: header (the default) or query.", value: among([]string{"header", "query", ""})},
		"name": {about: "The name of the header or query parameter.", need: true, value: given},
		"key":  {about: "The API key: env:NAME or file:PATH.", need: true, value: ref("secret")},
	}},
	reflect.TypeFor[fileOAuth2](): {keys: map[string]key{
		"token_url":     {about: "The URL that issues tokens.", need: true, value: ref("url")},
		"client_id":     {about: "The client id: env:NAME or file:PATH.", need: true, value: ref("secret")},
		"client_secret": {about: "The client secret: env:NAME or file:PATH.", need: true, value: ref("secret")},
		"scopes":        {about: "The scopes to request.", most: maxList},
		"params":        {about: "Further parameters for the token URL, such as an audience.", most: maxParams},
		"tls":           {about: "How the certificate of the token URL is verified, if not by the system's certificate authorities."},
	}},
	reflect.TypeFor[fileParam](): {keys: map[string]key{
		"name":  {about: "The name of the parameter.", need: true, value: given},
		"value": {about: "The value. Do not put a secret here."},
	}},
	reflect.TypeFor[fileMTLS](): {keys: map[string]key{
		"certificate": {about: "The certificate in PEM: file:PATH or env:NAME.", need: true, value: ref("secret")},
		"key":         {about: "The private key of the certificate in PEM: file:PATH or env:NAME.", need: true, value: ref("secret")},
	}},
	reflect.TypeFor[fileSign](): {name: "sign", keys: map[string]key{
		"secrets": {about: "The secrets, newest first: env:NAME or file:PATH. Each is whsec_ followed by 24 to 64 bytes in base64.", need: true, value: ref("secret"), least: 1, most: maxSecrets},
	}},
	reflect.TypeFor[fileCallTLS](): {name: "tls", keys: map[string]key{
		"ca":          {about: "Certificate authorities to trust instead of the system's, in PEM: file:PATH or env:NAME.", value: optional(checkSecret).schema},
		"server_name": {about: "The name to expect in the certificate instead of the URL's host."},
	}},
	reflect.TypeFor[fileRetry](): {keys: map[string]key{
		"schedule":  {about: "The waits between attempts: n waits make n+1 attempts.", most: maxSchedule},
		"jitter":    {about: "The fraction by which each wait varies at random, in both directions.", value: within(jitterNumbers)},
		"retention": {about: "How long a parked delivery waits for an operator."},
	}},
	reflect.TypeFor[fileLimits](): {keys: map[string]key{
		"concurrency": {about: "Concurrent attempts per worker; 0 is unlimited.", value: within(concurrencyNumbers)},
		"rate":        {about: "Attempts per second and worker; 0 is unlimited.", value: within(rateNumbers)},
		"response":    {about: "How much of a response is read, such as 64KiB; at most 16MiB."},
	}},
	reflect.TypeFor[fileReturn](): {keys: map[string]key{
		"from": {about: "A top-level key of the response.", need: true, value: given},
		"to":   {about: "The key of user data to write.", need: true, value: given},
	}},
	reflect.TypeFor[fileTrigger](): {name: "trigger", keys: map[string]key{
		"when":               {about: "One or more moments.", need: true, value: ref("moment"), most: trigger.MaxValues},
		"call":               {about: "The name of the call to fire.", need: true, value: given},
		"segments":           {about: "Only these segments: name, or name.leg. For segment_change.", value: ref("segment"), most: trigger.MaxValues},
		"legs":               {about: "Only these legs. For segment_change.", value: ref("leg"), most: trigger.MaxValues},
		"from":               {about: "Only if the leg leaves one of these segments. For segment_change.", value: ref("segment"), most: trigger.MaxValues},
		"to":                 {about: "Only if the leg enters one of these segments. For segment_change.", value: ref("segment"), most: trigger.MaxValues},
		"channels":           {about: "Only on these channels.", value: ref("channel"), most: trigger.MaxValues},
		"queues":             {about: "Only in these queues.", most: trigger.MaxValues},
		"business_processes": {about: "Only in these business processes.", most: trigger.MaxValues},
		"dispositions":       {about: "Only with one of these disposition codes.", most: trigger.MaxValues},
		"if":                 {about: "A condition in CEL, without ${ }. A missing value makes it false."},
		"dry_run":            {about: "Renders and records the request without sending it."},
	}},
	reflect.TypeFor[fileEngagement](): {keys: map[string]key{
		"backend": {about: "The URL of the backend, without a path. It adds the built-in calls engage and noengage."},
		"queue":   {about: "The queue of visitors who accept an invitation whose profile names no queue. Without it, such an interaction stays started."},
	}},
	reflect.TypeFor[fileAlerts](): {keys: map[string]key{
		"failing_after":   {about: "How long a receiver fails before operator.delivery_failing fires; 0s is off."},
		"recovered_after": {about: "How long a receiver accepts deliveries without a failure before operator.receiver_recovered fires."},
		"remind_every":    {about: "How often operators are notified again of receivers that still fail and deliveries that are still parked, with event.reason \"reminder\"; 0s is never."},
	}},
	reflect.TypeFor[fileTimeouts](): {keys: map[string]key{
		"default":  {about: "The timeouts of every channel."},
		"channels": {about: "Timeouts of a channel that differ from the default.", names: channelNames()},
	}},
	reflect.TypeFor[fileDefaults]():  {keys: timerDescriptions()},
	reflect.TypeFor[fileOverrides](): {name: "timeouts", keys: timerDescriptions()},
	reflect.TypeFor[fileQueue](): {name: "queue", keys: map[string]key{
		"name":             {about: "The name of the queue.", need: true, value: given},
		"business_process": {about: "The business process of interactions in this queue that name none."},
		"overflow":         {about: "The queue to move an interaction to when it overflows. Without one, overflowing ends the interaction."},
		"max_misses":       {about: "How many missed offers make an interaction overflow; 0 is unlimited.", value: within(missesNumbers)},
		"priority":         {about: "The priority of interactions in this queue, instead of that of their channel; 1 is the highest.", value: within(priorityNumbers)},
		"timeouts":         {about: "Timeouts of this queue that differ from those of the channel."},
	}},
	reflect.TypeFor[filePriorities](): {keys: map[string]key{
		"default":  {about: "The priority of every interaction: 1 is the highest, 5 the lowest.", value: within(priorityNumbers)},
		"channels": {about: "Priorities of channels that differ from the default.", names: channelNames(), value: within(priorityNumbers)},
		"weights":  {about: "Contact centers that get a larger or smaller share than others of the same priority.", most: maxList},
	}},
	reflect.TypeFor[fileWeight](): {name: "weight", keys: map[string]key{
		"contact_center": {about: "The id of the contact center.", need: true, value: given},
		"weight":         {about: "Its share, relative to the 1 of a contact center without a weight.", need: true, value: within(weightNumbers)},
	}},
	reflect.TypeFor[fileDesktop](): {keys: map[string]key{
		"call":         {about: "The call that lists scripts and dispositions, instead of the lists here."},
		"scripts":      {about: "Scripts that an agent can start.", most: maxList},
		"dispositions": {about: "Disposition codes that an agent can choose.", most: maxList},
	}},
	reflect.TypeFor[Script](): {keys: map[string]key{
		"channel": {about: "The channel on which it is offered.", need: true, value: ref("channel")},
		"id":      {about: "The id, unique on the channel.", need: true, value: given},
		"name":    {about: "The name that agents see."},
	}},
	reflect.TypeFor[Disposition](): {keys: map[string]key{
		"channel": {about: "The channel on which it is offered.", need: true, value: ref("channel")},
		"id":      {about: "The id, unique on the channel.", need: true, value: given},
		"value":   {about: "The disposition code to record.", need: true, value: given},
		"labels":  {about: "The names that agents see, by language.", most: maxList},
	}},
	reflect.TypeFor[Label](): {keys: map[string]key{
		"language":    {about: "A language, such as en."},
		"country":     {about: "A country, such as US."},
		"name":        {about: "The name in this language."},
		"description": {about: "A longer description in this language."},
	}},
	reflect.TypeFor[fileGuard](): {keys: map[string]key{
		"allow": {about: "Ranges, addresses and host names that calls may reach besides public addresses. A port or a range of ports may follow a colon; without it, all ports are allowed.", value: checkReach.schema, most: maxList},
		"proxy": {about: "The proxy for public addresses. Segue ignores HTTP_PROXY, HTTPS_PROXY and NO_PROXY."},
	}},
	reflect.TypeFor[fileProxy](): {keys: map[string]key{
		"url":      {about: "The URL of the proxy, http://host:port. Segue sends it CONNECT with an IP address."},
		"username": {about: "The user name of the proxy: env:NAME or file:PATH."},
		"password": {about: "The password of the proxy: env:NAME or file:PATH."},
	}},
	reflect.TypeFor[fileTemporal](): {keys: map[string]key{
		"address":    {about: "The host:port of the Temporal frontend."},
		"namespace":  {about: "The Temporal namespace."},
		"task_queue": {about: "The task queue that workers poll."},
		"api_key":    {about: "The API key of Temporal Cloud: env:NAME or file:PATH."},
		"tls":        {about: "TLS of the connection to Temporal."},

		"deployment":   {about: "The worker deployment that versioned workers belong to."},
		"build_id":     {about: "The build id of the version to run as. Without one, a worker is unversioned."},
		"auto_upgrade": {about: "Channels whose running interactions move to new versions of the workers. Those of other channels stay on the version that they started on."},
	}},
	reflect.TypeFor[fileTLS](): {keys: map[string]key{
		"enabled":     {about: "Whether to use TLS."},
		"server_name": {about: "The name to expect in the server's certificate."},
		"ca":          {about: "Certificate authorities to trust, in PEM: file:PATH or env:NAME."},
		"certificate": {about: "A client certificate in PEM: file:PATH or env:NAME."},
		"key":         {about: "The private key of the certificate in PEM: file:PATH or env:NAME."},
	}},
	reflect.TypeFor[fileLog](): {keys: map[string]key{
		"level":  {about: "The lowest level to log."},
		"format": {about: "The format of a log line."},
	}},
	reflect.TypeFor[fileAddress](): {keys: map[string]key{
		"address": {about: "The host:port to listen on."},
	}},
	reflect.TypeFor[fileGateway](): {keys: map[string]key{
		"address":      {about: "The host:port to listen on. Beyond loopback, auth needs at least one credential."},
		"public_url":   {about: "The URL at which clients reach the gateway, for links in answers. Without it, links have the scheme and the Host of the request."},
		"tls":          {about: "Serves HTTPS. The files are read again when they change."},
		"auth":         {about: "Who may send requests. Without any credential the gateway listens on loopback only."},
		"session_keys": {about: "Secrets of at least 32 bytes that seal session cookies, the newest first: env:NAME or file:PATH. Replicas share them. Without any, a process makes one at its start.", value: ref("secret"), most: maxSecrets},
		"cors":         {about: "Origins of other sites' pages that may use the API with credentials: https://app.example.com, https://*.example.com.", value: object{"pattern": originPattern.String()}, most: maxList},
		"gws":          {about: "The Interactions API of Genesys Web Services (GWS), /api/v2."},
		"engagement":   {about: "The Engagement API of Genesys Web Engagement (GWE), and the pages of visitors who are invited."},
	}},
	reflect.TypeFor[fileVisits](): {keys: map[string]key{
		"trusted":     {about: "Networks whose requests to engage and noengage need no credential: strategies send none.", most: maxList},
		"origins":     {about: "Origins of visitors' pages: https://shop.example.com, https://*.example.com.", value: object{"pattern": originPattern.String()}, most: maxList},
		"open_visits": {about: "Whether a visitor's page needs no token: who knows the id of a visit sees its invitations, and can answer them."},
	}},
	reflect.TypeFor[fileTrusted](): {keys: map[string]key{
		"network":        {about: "An address, or a range such as 10.1.0.0/16.", need: true, value: given},
		"contact_center": {about: "The contact center of what the network sends.", need: true, value: matching(oneCenterPattern.String())},
	}},
	reflect.TypeFor[fileGWS](): {keys: map[string]key{
		"csrf":     {about: "Whether POST and PUT with a session cookie alone need the session's X-CSRF-TOKEN. A wrong token is refused in any case."},
		"workbins": {about: "Workbins that are listed even while they are empty.", most: maxList},
	}},
	reflect.TypeFor[fileWorkbin](): {keys: map[string]key{
		"id":           {about: "The name with which interactions are placed in the workbin.", need: true, value: matching(workbinIDPattern.String())},
		"name":         {about: "The workbinName that clients see; without one, the id.", value: matching(workbinTextPattern.String())},
		"display_name": {about: "The displayName that clients show; without one, the name.", value: matching(workbinTextPattern.String())},
	}},
	reflect.TypeFor[fileGatewayTLS](): {keys: map[string]key{
		"certificate": {about: "The certificate chain in PEM: file:PATH or env:NAME."},
		"key":         {about: "The private key of the certificate in PEM: file:PATH or env:NAME."},
	}},
	reflect.TypeFor[fileAccess](): {keys: map[string]key{
		"api_keys": {about: "API keys, sent as Authorization: Bearer or X-API-Key.", most: maxCredentials},
		"jwt":      {about: "Issuers of JSON Web Tokens, found by OpenID Connect discovery.", most: maxIssuers},
		"users":    {about: "Users with a password, for HTTP basic authentication.", most: maxCredentials},
	}},
	reflect.TypeFor[fileKey](): {keys: map[string]key{
		"name":            {about: "The name of the key in logs and limits.", need: true, value: matching(namePattern.String())},
		"sha256":          {about: "The SHA-256 digest of the key, in hex: printf %s \"$KEY\" | sha256sum.", need: true, value: matching(digestPattern.String())},
		"role":            {about: "What the key may do.", need: true, value: among(roles)},
		"agent":           {about: "The agent whom a key with the role agent is for."},
		"contact_centers": {about: "The contact centers that the key may use; \"*\" is all.", need: true, value: matching(centerPattern.String()), most: maxList},
		"rate":            {about: "Requests per second that the key may send; 0 is 200.", value: within(rateNumbers)},
		"expires":         {about: "When the key ends."},
	}},
	reflect.TypeFor[fileIssuer](): {keys: map[string]key{
		"name":            {about: "The name of the issuer in logs.", need: true, value: matching(namePattern.String())},
		"issuer":          {about: "The URL of the issuer, below which /.well-known/openid-configuration is; https, except on this machine.", need: true, value: ref("url")},
		"audience":        {about: "The audience that a token must have.", need: true, value: given},
		"algorithms":      {about: "The accepted signature algorithms. Algorithms with a shared secret (HS256) are never accepted.", value: among(Algorithms), most: len(Algorithms)},
		"claims":          {about: "The claims of a token to read. A path with dots names a nested claim."},
		"contact_centers": {about: "Limits the contact centers that the claim may give, or gives them if the token has no such claim; \"*\" is all.", value: matching(centerPattern.String()), most: maxList},
		"ca":              {about: "Certificate authorities to trust for the issuer instead of the system's, in PEM: file:PATH or env:NAME.", value: optional(checkSecret).schema},
	}},
	reflect.TypeFor[fileClaims](): {keys: map[string]key{
		"contact_centers": {about: "The claim with one or several contact centers."},
		"role":            {about: "The claim with the role: agent, supervisor, admin or platform."},
		"agent":           {about: "The claim with the agent's id."},
	}},
	reflect.TypeFor[fileUser](): {keys: map[string]key{
		"name":            {about: "The name to log in with.", need: true, value: matching(userPattern.String())},
		"password":        {about: "The password: env:NAME or file:PATH. Give this or password_hash.", value: optional(checkSecret).schema},
		"password_hash":   {about: "The bcrypt hash of the password, with a cost of 10 to 15."},
		"role":            {about: "What the user may do.", need: true, value: among(roles)},
		"agent":           {about: "The agent whom a user with the role agent is."},
		"contact_centers": {about: "The contact centers that the user may use; \"*\" is all.", need: true, value: matching(centerPattern.String()), most: maxList},
	}},
	reflect.TypeFor[fileBus](): {keys: map[string]key{
		"url":       {about: "NATS servers with JetStream, separated by commas: nats://host:4222 or tls://host:4222. Without it, segue serve runs the bus itself, and workers connect to bus.listen."},
		"listen":    {about: "The host:port of the bus inside segue serve; empty turns it off. Beyond loopback it needs bus.user, bus.password and bus.tls."},
		"max_bytes": {about: "The size at which the bus drops its oldest notices."},
		"user":      {about: "The user name for the bus."},
		"password":  {about: "The password for the bus: env:NAME or file:PATH."},
		"token":     {about: "The token for the bus, instead of a user name: env:NAME or file:PATH."},
		"cleartext": {about: "Allows a connection to the bus on another machine without TLS. Use it only in a network that you trust."},
		"tls":       {about: "TLS of the bus."},
	}},
	reflect.TypeFor[fileBusTLS](): {keys: map[string]key{
		"ca":          {about: "Certificate authorities to trust instead of the system's, in PEM: file:PATH or env:NAME."},
		"certificate": {about: "A certificate in PEM, of the bus inside segue serve or of a client: file:PATH or env:NAME."},
		"key":         {about: "The private key of the certificate in PEM: file:PATH or env:NAME."},
	}},
	reflect.TypeFor[fileBoard](): {keys: map[string]key{
		"window":        {about: "The time that counts for the numbers handled and abandoned and for the service level."},
		"service_level": {about: "An interaction that is answered within this time counts as answered in time."},
	}},
}
