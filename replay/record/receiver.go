package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// receiver answers by path: /ok with 200, /flaky with two 503s before the 200 of each delivery, /gone with 410, /down
// with 503 until it is up, and the engagement callbacks with 200.
type receiver struct {
	url    string
	server *http.Server

	up       atomic.Bool // whether /down answers 200
	mu       sync.Mutex
	attempts map[string]int // at /flaky, by delivery id
}

func openReceiver() (*receiver, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{url: "http://" + listener.Addr().String(), attempts: map[string]int{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", always(http.StatusOK))
	mux.HandleFunc("/gone", always(http.StatusGone))
	mux.HandleFunc("/backend/data/gateway/", always(http.StatusOK))
	mux.HandleFunc("/flaky", r.flaky)
	mux.HandleFunc("/down", r.down)
	r.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := r.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, "receiver:", err)
		}
	}()
	return r, nil
}

func (r *receiver) close() error { return r.server.Close() }

func always(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

func (r *receiver) flaky(w http.ResponseWriter, request *http.Request) {
	id := request.Header.Get("webhook-id")
	r.mu.Lock()
	r.attempts[id]++
	attempt := r.attempts[id]
	r.mu.Unlock()
	if attempt <= 2 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

func (r *receiver) down(w http.ResponseWriter, _ *http.Request) {
	if !r.up.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}
