package main

import (
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

		// The cache of histories must fit in one machine's memory.
		dynamicconfig.HistoryCacheHostLevelMaxSize.Key(): 8192,

		// A server for development and tests does not call home.
		dynamicconfig.EnableServerVersionCheck.Key(): false,
	}
}
