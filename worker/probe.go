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
	// maxAnswer bounds the answer, in bytes.
	maxAnswer = 1 << 20
)

// probe returns nil if the worker that serves metrics on this address is ready. It is for containers without a program
// that can send a request.
func probe(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("--probe %s: use host:port: %w", address, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("--probe %s: %w", address, err)
	}
	defer response.Body.Close()
	var health host.Health
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(&health); err != nil {
		return fmt.Errorf("--probe %s: the answer is not that of a worker: %w", address, err)
	}
	if !health.Ready {
		return errors.New("not ready: " + strings.Join(health.Reasons, "; "))
	}
	return nil
}
