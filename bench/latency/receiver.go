package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// receiver reports when each POST arrives, and answers after a delay.
type receiver struct {
	url      string
	delay    atomic.Int64
	arrivals chan time.Time
	server   *http.Server
}

func openReceiver() (*receiver, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{url: "http://" + listener.Addr().String() + "/", arrivals: make(chan time.Time, 1)}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := r.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, "receiver:", err)
		}
	}()
	return r, nil
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	arrived := time.Now()
	_, _ = io.Copy(io.Discard, request.Body) // the body does not matter here
	time.Sleep(time.Duration(r.delay.Load()))
	w.WriteHeader(http.StatusOK)
	r.arrivals <- arrived
}
