package config

import (
	"time"

	"segue/contract"
	"segue/delivery"
	"segue/request"

	"go.yaml.in/yaml/v3"
)

// file is the configuration file as it is written. Its keys are the contract with users;
// the annotated example shows each of them.
type file struct {
	Calls      []fileCall     `yaml:"calls"`
	Triggers   []fileTrigger  `yaml:"triggers"`
	Engagement fileEngagement `yaml:"engagement"`
	Alerts     fileAlerts     `yaml:"alerts"`
	Timeouts   fileTimeouts   `yaml:"timeouts"`
	Priorities filePriorities `yaml:"priorities"`
	Queues     []fileQueue    `yaml:"queues"`
	Desktop    fileDesktop    `yaml:"desktop"`
	Guard      fileGuard      `yaml:"guard"`
	Temporal   fileTemporal   `yaml:"temporal"`
	Log        fileLog        `yaml:"log"`
	Gateway    fileGateway    `yaml:"gateway"`
	Bus        fileBus        `yaml:"bus"`
	Board      fileBoard      `yaml:"board"`
	Metrics    fileAddress    `yaml:"metrics"`
}

type fileCall struct {
	Name       string            `yaml:"name"`
	Method     string            `yaml:"method"`
	URL        string            `yaml:"url"`
	Query      []request.Pair    `yaml:"query"`
	Headers    []request.Pair    `yaml:"headers"`
	JSON       *yaml.Node        `yaml:"json"`
	Form       []request.Pair    `yaml:"form"`
	XML        *request.XML      `yaml:"xml"`
	SOAP       *request.SOAP     `yaml:"soap"`
	Text       *string           `yaml:"text" scalar:"true"`
	Accept     delivery.Format   `yaml:"accept"`
	Auth       fileAuth          `yaml:"auth"`
	Sign       *fileSign         `yaml:"sign"`
	TLS        fileCallTLS       `yaml:"tls"`
	Cleartext  bool              `yaml:"cleartext"`
	Timeout    duration          `yaml:"timeout"`
	Success    statuses          `yaml:"success"`
	Final      outcomes          `yaml:"final"`
	Retriable  outcomes          `yaml:"retriable"`
	Idempotent bool              `yaml:"idempotent"`
	Inline     bool              `yaml:"inline"`
	DryRun     bool              `yaml:"dry_run"`
	Order      delivery.Order    `yaml:"order"`
	Missing    missing           `yaml:"missing"`
	Retry      fileRetry         `yaml:"retry"`
	Limits     fileLimits        `yaml:"limits"`
	Returns    []fileReturn      `yaml:"returns"`
	Mappings   []request.Mapping `yaml:"mappings"`
}

type fileAuth struct {
	Basic  *fileBasic  `yaml:"basic"`
	Bearer *fileBearer `yaml:"bearer"`
	APIKey *fileAPIKey `yaml:"api_key"`
	OAuth2 *fileOAuth2 `yaml:"oauth2"`
	MTLS   *fileMTLS   `yaml:"mtls"`
	Sign   *fileSign   `yaml:"sign"`
}

type fileBasic struct {
	Username delivery.SecretRef `yaml:"username"`
	Password delivery.SecretRef `yaml:"password"`
}

type fileAPIKey struct {
	In   string             `yaml:"in"`
	Name string             `yaml:"name"`
	Key  delivery.SecretRef `yaml:"key"`
}

type fileOAuth2 struct {
	TokenURL     string             `yaml:"token_url"`
	ClientID     delivery.SecretRef `yaml:"client_id"`
	ClientSecret delivery.SecretRef `yaml:"client_secret"`
	Scopes       words              `yaml:"scopes"`
	Params       []fileParam        `yaml:"params"`
	TLS          fileCallTLS        `yaml:"tls"`
}

type fileParam struct {
	Name  string `yaml:"name"`
	Value string `yaml:"value" scalar:"true"`
}

type fileMTLS struct {
	Certificate delivery.SecretRef `yaml:"certificate"`
	Key         delivery.SecretRef `yaml:"key"`
}

type fileSign struct {
	Secrets []delivery.SecretRef `yaml:"secrets"`
}

type fileCallTLS struct {
	CA         delivery.SecretRef `yaml:"ca"`
	ServerName string             `yaml:"server_name"`
}

type fileRetry struct {
	Schedule  []duration `yaml:"schedule"`
	Jitter    float64    `yaml:"jitter"`
	Retention duration   `yaml:"retention"`
}

type fileLimits struct {
	Concurrency int     `yaml:"concurrency"`
	Rate        float64 `yaml:"rate"`
	Response    size    `yaml:"response"`
}

type fileReturn struct {
	From string `yaml:"from"`
	To   string `yaml:"to"`
}

type fileTrigger struct {
	When              words  `yaml:"when"`
	Call              string `yaml:"call"`
	Segments          words  `yaml:"segments"`
	Legs              words  `yaml:"legs"`
	From              words  `yaml:"from"`
	To                words  `yaml:"to"`
	Channels          words  `yaml:"channels"`
	Queues            words  `yaml:"queues"`
	BusinessProcesses words  `yaml:"business_processes"`
	Dispositions      words  `yaml:"dispositions"`
	If                string `yaml:"if"`
	DryRun            bool   `yaml:"dry_run"`
}

type fileEngagement struct {
	Backend setting `yaml:"backend"`
	Queue   setting `yaml:"queue"`
}

type fileAlerts struct {
	FailingAfter   setting `yaml:"failing_after"`
	RecoveredAfter setting `yaml:"recovered_after"`
	RemindEvery    setting `yaml:"remind_every"`
}

type fileTimeouts struct {
	Default  fileDefaults             `yaml:"default"`
	Channels map[string]fileOverrides `yaml:"channels"`
}

type fileQueue struct {
	Name            string        `yaml:"name"`
	BusinessProcess string        `yaml:"business_process"`
	Overflow        string        `yaml:"overflow"`
	MaxMisses       int           `yaml:"max_misses"`
	Priority        *int          `yaml:"priority"`
	Timeouts        fileOverrides `yaml:"timeouts"`
}

type fileDesktop struct {
	Call         string        `yaml:"call"`
	Scripts      []Script      `yaml:"scripts"`
	Dispositions []Disposition `yaml:"dispositions"`
}

type fileGuard struct {
	Allow []string  `yaml:"allow"`
	Proxy fileProxy `yaml:"proxy"`
}

type fileProxy struct {
	URL      setting `yaml:"url"`
	Username setting `yaml:"username"`
	Password setting `yaml:"password"`
}

type fileTemporal struct {
	Address   setting `yaml:"address"`
	Namespace setting `yaml:"namespace"`
	TaskQueue setting `yaml:"task_queue"`
	APIKey    setting `yaml:"api_key"`
	TLS       fileTLS `yaml:"tls"`

	Deployment  setting         `yaml:"deployment"`
	BuildID     setting         `yaml:"build_id"`
	AutoUpgrade channelsSetting `yaml:"auto_upgrade"`
}

type fileTLS struct {
	Enabled     setting `yaml:"enabled"`
	ServerName  setting `yaml:"server_name"`
	CA          setting `yaml:"ca"`
	Certificate setting `yaml:"certificate"`
	Key         setting `yaml:"key"`
}

type fileLog struct {
	Level  setting `yaml:"level"`
	Format setting `yaml:"format"`
}

type fileAddress struct {
	Address setting `yaml:"address"`
}

// setDefaults sets what a call has before the file is read.
func (c *fileCall) setDefaults() {
	c.Timeout = duration(contract.UsualTimeout)
	c.Success = statuses{{From: 200, To: 299}}
	c.Idempotent, c.Inline = true, true
	c.Order = delivery.OrderBlock
	c.Missing = missing(request.MissingEmpty)
	c.Retry = fileRetry{Schedule: standardWebhooks(), Jitter: 0.2, Retention: duration(720 * time.Hour)}
	c.Limits = fileLimits{Concurrency: 20, Response: delivery.DefaultResponse}
}

// standardWebhooks returns the retry schedule of the Standard Webhooks specification, over
// 75 hours.
func standardWebhooks() []duration {
	var s []duration
	for _, d := range []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
		10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour} {
		s = append(s, duration(d))
	}
	return s
}
