package request_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"segue/interaction"
	"segue/request"
)

// The keys of a survey are any questions: each is changed into a valid XML name.
func TestKeysBecomeValidXMLNames(t *testing.T) {
	for key, want := range map[string]string{
		"csat":                           "<csat>x</csat>",
		"How satisfied were you?":        "<How_satisfied_were_you_>x</How_satisfied_were_you_>",
		"1st question":                   "<_1st_question>x</_1st_question>",
		"soap:Body":                      "<soap_Body>x</soap_Body>",
		"Zufriedenheit (Größe) \u2013 €": "<Zufriedenheit__Größe_____>x</Zufriedenheit__Größe_____>",
		"-":                              "<_->x</_->",
		"":                               "<_>x</_>",
		"a<b>&\"c":                       "<a_b___c>x</a_b___c>",
		"質問":                             "<質問>x</質問>",
	} {
		spec := request.Spec{Name: "c", Method: "POST", URL: "https://crm.example.com/", XML: &request.XML{Root: "S", Body: tree(t, `{all: "${survey}"}`)}}
		template, err := request.Compile(spec)
		require.NoError(t, err)
		view := &interaction.View{Survey: map[string]any{key: "x"}}
		r, _ := template.Render("msg", view, &interaction.Event{})

		require.Contains(t, r.Body, "<all>"+want+"</all>")
	}
}
