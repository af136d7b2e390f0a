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
	// probeWithin bounds a probe; whoever makes it has a limit of their own.
	probeWithin = 5 * time.Second
	// maxAnswer bounds what is read of the answer, in bytes.
	maxAnswer = 1 << 20
)

// probe asks a running worker, by the address of its metrics, whether it is ready;
// for containers without a program that could ask.
func probe(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
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
	var told host.Health
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(&told); err != nil {
		return fmt.Errorf("%s is no worker: %w", address, err)
	}
	if !told.Ready {
		return errors.New("not ready: " + strings.Join(told.Reasons, "; "))
	}
	return nil
}
