package view_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"segue/gateway/gws/view"
)

// BenchmarkChange is the notifications of two agents, of user data and of a status, by the keys of user data.
func BenchmarkChange(b *testing.B) {
	for _, keys := range []int{10, 900} {
		data := map[string]any{}
		for n := range keys {
			data[fmt.Sprintf("key%d", n)] = fmt.Sprintf("a value of a usual length, %d", n)
		}
		encoded, err := json.Marshal(data)
		if err != nil {
			b.Fatal(err)
		}
		for _, line := range []string{`a1: update_user_data {"user_data":{"key1":"other"}}`, `a1: hold`} {
			b.Run(fmt.Sprintf("%d keys/%s", keys, line[4:8]), func(b *testing.B) {
				p, _ := started(b, start("inbound", `"user_data":`+string(encoded)))
				p.do(conferred...)
				before, n := p.do(line)
				b.ReportAllocs()
				for b.Loop() {
					c := view.NewChange(before, n, nil)
					for _, agent := range c.Agents() {
						c.Notifications(agent, base, nil)
					}
				}
			})
		}
	}
}
