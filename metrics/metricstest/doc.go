// Package metricstest lets a test read what instruments recorded, as Prometheus
// would. Only tests import it.
package metricstest
