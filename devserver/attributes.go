package main

import (
	"sync/atomic"
	"time"

	"go.temporal.io/server/common/dynamicconfig"
)

// attributeCache is how long a service may keep the search attributes that it has read; twice the server's own interval.
const attributeCache = 2 * time.Minute

// settings are the dynamic configuration with one value that changes. While search attributes may be new, each read of
// them goes to the database; from then on to the services' caches, which saves a read of each upsert.
type settings struct {
	dynamicconfig.StaticClient
	attributesKnown atomic.Bool
}

// GetValue returns what is set for a key.
func (s *settings) GetValue(key dynamicconfig.Key) []dynamicconfig.ConstrainedValue {
	if key == dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key() {
		return []dynamicconfig.ConstrainedValue{{Value: !s.attributesKnown.Load()}}
	}
	return s.StaticClient.GetValue(key)
}

// knowAttributes ends the reads: at once in a namespace that had all its attributes, else when no cache is older.
func (s *settings) knowAttributes(added bool) {
	if !added {
		s.attributesKnown.Store(true)
		return
	}
	time.AfterFunc(attributeCache, func() { s.attributesKnown.Store(true) })
}
