package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"segue/bench"
	"segue/client"
	"segue/connect"
	"segue/worker/local"
)

// The names of the parts.
const (
	partOpen    = "open"
	partKey     = "key"
	partNotices = "notices"
	partEvents  = "events"
)

// The names of the contenders.
const (
	byGRPC    = "grpc"
	byGateway = "gateway"
	quiet     = "quiet"
	noticing  = "noticing"
)

// apiKey is the key of the part with one, whose rate no load reaches.
const apiKey = "key-of-a-measurement"

const ofGateway = `
gateway: {address: "127.0.0.1:0"}
bus: {listen: "127.0.0.1:0"}
`

const ofGatewayWithKey = `
gateway:
  address: "127.0.0.1:0"
  auth: {api_keys: [{name: bench, sha256: %x, role: platform, contact_centers: [%s], rate: 100000}]}
bus: {listen: "127.0.0.1:0"}
`

// part is one comparison: its processes and contenders.
type part struct {
	name       string
	segue      *local.Segue
	receiver   *bench.Receiver
	profile    string
	gateway    *bench.Child
	serves     serving
	workers    []*bench.Child
	contenders []*contender
	directory  string
}

// openPart starts the processes of a part. Close the part in any case.
func openPart(ctx context.Context, name string, segue *local.Segue, profile string) (*part, error) {
	p := &part{name: name, segue: segue, profile: profile, receiver: bench.OpenReceiver(receiverDelay)}
	var err error
	if p.directory, err = os.MkdirTemp("", "segue-bench-"); err != nil {
		return p, err
	}
	configuration, key := ofGateway, ""
	if name == partKey {
		key = apiKey
		configuration = fmt.Sprintf(ofGatewayWithKey, sha256.Sum256([]byte(key)), contactCenter)
	}
	if err := p.startGateway(configuration); err != nil {
		return p, err
	}
	caller := newPlatform(p.serves.URL, key)
	if err := p.awaitReady(ctx, caller); err != nil {
		return p, err
	}
	noisy, err := p.startWorker(noticing, p.serves.Bus)
	if err != nil {
		return p, err
	}
	if name == partEvents {
		return p, nil
	}
	if name != partNotices {
		p.contenders = []*contender{direct(byGRPC, p.client(noticing), noisy), caller.contender(byGateway, noisy)}
		return p, nil
	}
	silent, err := p.startWorker(quiet, "")
	if err != nil {
		return p, err
	}
	p.contenders = []*contender{direct(quiet, p.client(quiet), silent), direct(noticing, p.client(noticing), noisy)}
	return p, nil
}

// settings are the connection of a process whose worker is this one.
func (p *part) settings(worker string) connect.Settings {
	s := p.segue.Settings
	s.TaskQueue = p.name + "-" + worker
	return s
}

func (p *part) client(worker string) *client.Client {
	return &client.Client{Temporal: p.segue.Client.Temporal, TaskQueue: p.settings(worker).TaskQueue}
}

func (p *part) startGateway(configuration string) (err error) {
	profile := p.profileOf("gateway")
	if p.name == partEvents {
		profile = "" // it begins when the clients are connected
	}
	p.gateway, err = bench.StartChild(gatewayArgument, assignment{
		Settings: p.settings(noticing), Config: configuration, Log: filepath.Join(p.directory, "log"), Profile: profile,
	}, os.Stderr)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(p.gateway.Said), &p.serves)
}

func (p *part) startWorker(name, bus string) (*bench.Child, error) {
	worker, err := bench.StartChild(workerArgument, assignment{
		Settings: p.settings(name), Config: bench.Configuration(p.receiver.URL, "late_events: 0s"), Bus: bus, Profile: p.profileOf(name),
	}, os.Stderr)
	if err == nil {
		p.workers = append(p.workers, worker)
	}
	return worker, err
}

func (p *part) profileOf(process string) string {
	if p.profile == "" {
		return ""
	}
	return p.profile + "." + process
}

func (p *part) awaitReady(ctx context.Context, caller *platform) error {
	ctx, cancel := context.WithTimeout(ctx, bench.SettleLimit)
	defer cancel()
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	for {
		ready, err := caller.isReady(ctx)
		if ready || err != nil {
			return err
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return errors.New("the gateway is not ready")
		}
	}
}

// close stops the processes, the workers first, which publish what waits.
func (p *part) close() error {
	var errs []error
	for _, worker := range p.workers {
		errs = append(errs, worker.Stop())
	}
	if p.gateway != nil {
		errs = append(errs, p.gateway.Stop())
	}
	p.receiver.Close()
	return errors.Join(append(errs, os.RemoveAll(p.directory))...)
}
