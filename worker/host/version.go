package host

import (
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"segue/config"
)

// Version returns the version of a worker with these settings, as operators write it:
// deployment:build. It is empty without a build id: the worker is unversioned.
func Version(t config.Temporal) string {
	if t.BuildID == "" {
		return ""
	}
	return t.Deployment + ":" + t.BuildID
}

// deployment returns the options that make a worker with a build id a versioned one. How
// running workflows move to a newer version is registered with them; by default they move.
func deployment(t config.Temporal) sdkworker.DeploymentOptions {
	if t.BuildID == "" {
		return sdkworker.DeploymentOptions{}
	}
	return sdkworker.DeploymentOptions{
		UseVersioning:             true,
		Version:                   sdkworker.WorkerDeploymentVersion{DeploymentName: t.Deployment, BuildID: t.BuildID},
		DefaultVersioningBehavior: workflow.VersioningBehaviorAutoUpgrade,
	}
}
