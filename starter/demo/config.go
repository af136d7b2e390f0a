package demo

import (
	"bytes"
	_ "embed"
	"text/template"
)

//go:embed demo.yaml.tmpl
var configText string

var configTemplate = template.Must(template.New("demo.yaml").Option("missingkey=error").Parse(configText))

// Config returns the configuration whose calls go to these receivers.
func (r *Receivers) Config() ([]byte, error) {
	var b bytes.Buffer
	err := configTemplate.Execute(&b, map[string]string{
		"CRM": r.URL(ReceiverCRM), "Flaky": r.URL(ReceiverFlaky), "Engagement": r.URL(ReceiverEngagement),
	})
	return b.Bytes(), err
}
