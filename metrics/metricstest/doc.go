// Package metricstest lets a test read what instruments recorded, as Prometheus would read
// it. Only tests import it.
package metricstest
