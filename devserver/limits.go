package main

import (
	"go.temporal.io/server/common/dynamicconfig"
)

// plenty stands for "no limit that one machine could reach": the defaults protect a shared cluster from its tenants, and
// here the only tenant is the one who started the server.
const plenty = 1_000_000

// dynamicConfig is what this server does differently from a cluster's defaults. Limits of a single workflow (updates in
// flight, history size, signals) stay as they are: what works here must work there.
func dynamicConfig() dynamicconfig.StaticClient {
	return dynamicconfig.StaticClient{
		// The default of 1,000 is more than the columns of a cluster on PostgreSQL or MySQL hold.
		dynamicconfig.MaxIDLengthLimit.Key(): 255,

		dynamicconfig.FrontendRPS.Key():                                                        plenty,
		dynamicconfig.FrontendMaxNamespaceRPSPerInstance.Key():                                 plenty,
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key():                       plenty,
		dynamicconfig.FrontendMaxNamespaceNamespaceReplicationInducingAPIsRPSPerInstance.Key(): plenty,
		dynamicconfig.FrontendNamespaceReplicationInducingAPIsRPS.Key():                        plenty,
		dynamicconfig.FrontendGlobalNamespaceNamespaceReplicationInducingAPIsRPS.Key():         plenty,
		dynamicconfig.FrontendGlobalWorkerDeploymentReadRPS.Key():                              plenty,
		dynamicconfig.FrontendMaxConcurrentLongRunningRequestsPerInstance.Key():                plenty,
		dynamicconfig.MatchingRPS.Key():                                                        plenty,
		dynamicconfig.HistoryRPS.Key():                                                         plenty,
		dynamicconfig.FrontendPersistenceMaxQPS.Key():                                          plenty,
		dynamicconfig.HistoryPersistenceMaxQPS.Key():                                           plenty,
		dynamicconfig.MatchingPersistenceMaxQPS.Key():                                          plenty,
		dynamicconfig.WorkerPersistenceMaxQPS.Key():                                            plenty,

		// A shard looks for new tasks at most this often a second. At the default of 20, every twentieth signal of an idle
		// server waits some 50 ms for its turn; at 200 none does, and a busy server is no slower.
		dynamicconfig.TransferProcessorMaxPollRPS.Key(): 200,
		dynamicconfig.TimerProcessorMaxPollRPS.Key():    200,

		// Partitions spread a task queue over nodes, and there is one. Fairness is kept within a partition: so it is exact.
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,

		dynamicconfig.MatchingUseNewMatcher.Key():  true,
		dynamicconfig.MatchingEnableFairness.Key(): true,

		dynamicconfig.EnableDeploymentVersions.Key():                   true,
		dynamicconfig.FrontendEnableWorkerVersioningDataAPIs.Key():     true,
		dynamicconfig.FrontendEnableWorkerVersioningWorkflowAPIs.Key(): true,
		dynamicconfig.FrontendEnableWorkerVersioningRuleAPIs.Key():     true,

		// A process on one machine keeps its cache of histories within one machine's memory.
		dynamicconfig.HistoryCacheHostLevelMaxSize.Key(): 8192,

		// A server for development and tests tells nobody outside that it runs.
		dynamicconfig.EnableServerVersionCheck.Key(): false,
	}
}
