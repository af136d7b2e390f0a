package main

import (
	"sync/atomic"
	"time"

	"go.temporal.io/server/common/dynamicconfig"
)

// attributeCache is how long a service may cache search attributes: twice the server's own interval.
const attributeCache = 2 * time.Minute

// settings is the dynamic configuration with one value that changes. While search attributes may be new, services read
// them from the database each time; afterwards from their caches, which saves one read for each upsert.
type settings struct {
	dynamicconfig.StaticClient
	attributesKnown atomic.Bool
}

// GetValue returns the values of a key.
func (s *settings) GetValue(key dynamicconfig.Key) []dynamicconfig.ConstrainedValue {
	if key == dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key() {
		return []dynamicconfig.ConstrainedValue{{Value: !s.attributesKnown.Load()}}
	}
	return s.StaticClient.GetValue(key)
}

// knowAttributes ends the reads from the database: at once if no attribute was added, else when all caches are newer.
func (s *settings) knowAttributes(added bool) {
	if !added {
		s.attributesKnown.Store(true)
		return
	}
	time.AfterFunc(attributeCache, func() { s.attributesKnown.Store(true) })
}
