package config_test

import (
	"testing"

	"segue/config"
	"segue/contract"
	"segue/interaction"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPriorities(t *testing.T) {
	set := parsed(t, `
priorities:
  default: 4
  channels: {inbound: 2}
  weights: [{contact_center: Berlin, weight: 2.5}]
queues: [{name: vip, priority: 1}, {name: sales}]
`)
	assert.Equal(t, contract.Priority{Key: 4}, set.Priority("paris", interaction.ChannelChat, ""))
	assert.Equal(t, contract.Priority{Key: 2}, set.Priority("paris", interaction.ChannelInbound, "sales"))
	assert.Equal(t, contract.Priority{Key: 1, Weight: 2.5}, set.Priority("Berlin", interaction.ChannelInbound, "vip"))
	assert.Zero(t, parsed(t, "").Priority("paris", interaction.ChannelInbound, "vip"), "there is no default priority")
}

func TestMistakesOfPriorities(t *testing.T) {
	for text, want := range map[string]string{
		"priorities: {default: 0}":                                                   "f.yaml:1: priorities.default: 0 is out of range; write 1 to 5",
		"priorities: {default: 6}":                                                   "f.yaml:1: priorities.default: 6 is out of range; write 1 to 5",
		"priorities: {channels: {inbond: 1}}":                                        `f.yaml:1: priorities.channels.inbond: "inbond" is not a channel; did you mean inbound? use inbound, outbound, cloud_routing, track_number, chat, email, sms, web`,
		"priorities: {channels: {email: 9}}":                                         "f.yaml:1: priorities.channels.email: 9 is out of range; write 1 to 5",
		"priorities: {weights: [{weight: 2}]}":                                       "f.yaml:1: priorities.weights[0].contact_center: the contact center is missing; write contact_center: …",
		"priorities: {weights: [{contact_center: a, weight: 0}]}":                    "f.yaml:1: priorities.weights[0].weight: 0 is out of range; write 0.001 to 1000",
		"priorities: {weights: [{contact_center: a}]}":                               "f.yaml:1: priorities.weights[0].weight: 0 is out of range; write 0.001 to 1000",
		"queues: [{name: vip, priority: 0}]":                                         "f.yaml:1: queues[0].priority: 0 is out of range; write 1 to 5",
		"queues: [{name: vip, priority: high}]":                                      "f.yaml:1: queues[0].priority:",
		"priorities:\n  weights:\n    - &w {contact_center: a, weight: 1}\n    - *w": `f.yaml:3: priorities.weights[1].contact_center: "a" has a weight already; keep one`,
	} {
		_, err := config.Parse("f.yaml", []byte(text))
		require.Error(t, err, text)
		assert.Contains(t, err.Error(), want)
	}
}
