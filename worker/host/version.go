package host

import (
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"segue/config"
)

// Version is what a worker of these settings runs as, as operators name it:
// deployment:build. Without a build id it is unversioned, and empty.
func Version(t config.Temporal) string {
	if t.BuildID == "" {
		return ""
	}
	return t.Deployment + ":" + t.BuildID
}

// deployment makes a worker with a build id a versioned one. How running workflows
// meet a newer version is registered with them; what says nothing goes over to it.
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
