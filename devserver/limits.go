package main

import (
	"time"

	"go.temporal.io/server/common/dynamicconfig"
)

// unlimited is a limit that one machine cannot reach. The defaults protect a shared cluster from its tenants; here the user
// who started the server is the only tenant.
const unlimited = 1_000_000

// dynamicConfig returns the settings that differ from a cluster's defaults. Limits of a single workflow (updates in flight,
// history size, signals) keep their defaults: what works here must work in a cluster.
func dynamicConfig() dynamicconfig.StaticClient {
	return dynamicconfig.StaticClient{
		// The default of 1,000 exceeds the columns of a cluster on PostgreSQL or MySQL.
		dynamicconfig.MaxIDLengthLimit.Key(): 255,

		dynamicconfig.FrontendRPS.Key():                                                        unlimited,
		dynamicconfig.FrontendMaxNamespaceRPSPerInstance.Key():                                 unlimited,
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key():                       unlimited,
		dynamicconfig.FrontendMaxNamespaceNamespaceReplicationInducingAPIsRPSPerInstance.Key(): unlimited,
		dynamicconfig.FrontendNamespaceReplicationInducingAPIsRPS.Key():                        unlimited,
		dynamicconfig.FrontendGlobalNamespaceNamespaceReplicationInducingAPIsRPS.Key():         unlimited,
		dynamicconfig.FrontendGlobalWorkerDeploymentReadRPS.Key():                              unlimited,
		dynamicconfig.FrontendMaxConcurrentLongRunningRequestsPerInstance.Key():                unlimited,
		dynamicconfig.MatchingRPS.Key():                                                        unlimited,
		dynamicconfig.HistoryRPS.Key():                                                         unlimited,
		dynamicconfig.FrontendPersistenceMaxQPS.Key():                                          unlimited,
		dynamicconfig.HistoryPersistenceMaxQPS.Key():                                           unlimited,
		dynamicconfig.MatchingPersistenceMaxQPS.Key():                                          unlimited,
		dynamicconfig.WorkerPersistenceMaxQPS.Key():                                            unlimited,

		// The maximum rate at which a shard polls for new tasks. At the default of 20 a second, every twentieth signal of an
		// idle server waits some 50 ms; at 200 none waits, and a busy server is no slower.
		dynamicconfig.TransferProcessorMaxPollRPS.Key(): 200,
		dynamicconfig.TimerProcessorMaxPollRPS.Key():    200,

		// Partitions spread a task queue over nodes; this server is one node. Fairness applies within a partition, so with
		// one partition it is exact.
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,

		dynamicconfig.MatchingUseNewMatcher.Key():  true,
		dynamicconfig.MatchingEnableFairness.Key(): true,

		dynamicconfig.EnableDeploymentVersions.Key():                   true,
		dynamicconfig.FrontendEnableWorkerVersioningDataAPIs.Key():     true,
		dynamicconfig.FrontendEnableWorkerVersioningWorkflowAPIs.Key(): true,
		dynamicconfig.FrontendEnableWorkerVersioningRuleAPIs.Key():     true,

		// The cache of workflows must fit in one machine's memory: one takes some 15 KB, and closed workflows stay in it. The
		// other cache serves the replication to other clusters.
		dynamicconfig.HistoryCacheHostLevelMaxSize.Key(): 1024,
		dynamicconfig.XDCCacheMaxSizeBytes.Key():         0,

		// Workers of the queues take tasks in turns, so each of them needs a large stack. SQLite has one connection, which
		// fewer than the default of 512 keep busy.
		dynamicconfig.TransferProcessorSchedulerWorkerCount.Key():   64,
		dynamicconfig.TimerProcessorSchedulerWorkerCount.Key():      64,
		dynamicconfig.VisibilityProcessorSchedulerWorkerCount.Key(): 64,

		// A timer may fire this much too late, so that timers close to each other need one read. At the default of 1 s, a
		// retry after 100 ms takes a second.
		dynamicconfig.TimerProcessorMaxTimeShift.Key(): 100 * time.Millisecond,

		// A server for development and tests does not check for new versions.
		dynamicconfig.EnableServerVersionCheck.Key(): false,
	}
}
