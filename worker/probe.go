package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"segue/worker/host"
)

const (
	// probeTimeout bounds a probe.
	probeTimeout = 5 * time.Second
	// maxResponse bounds how many bytes of the response are read.
	maxResponse = 1 << 20
)

// probe returns an error unless the worker with this metrics.address is ready. It is for containers without another
// program that can send the request.
func probe(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("--probe %s: write host:port: %w", address, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var health host.Health
	if err := json.NewDecoder(io.LimitReader(response.Body, maxResponse)).Decode(&health); err != nil {
		return fmt.Errorf("the response of %s is not that of a worker: %w", address, err)
	}
	if !health.Ready {
		return errors.New("not ready: " + strings.Join(health.Reasons, "; "))
	}
	return nil
}
