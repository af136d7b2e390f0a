package cometd_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"segue/gateway/cometd"
)

// count is how many messages a property delivers.
const count = 400

// deliverAll delivers numbered messages, at random times.
func deliverAll(s *cometd.Session, random *rand.Rand) {
	for n := range count {
		if random.IntN(3) == 0 {
			time.Sleep(time.Duration(random.IntN(30)) * time.Millisecond)
		}
		s.Deliver("/a", json.RawMessage(fmt.Sprint(n)))
	}
}

// numbers adds the numbers of the messages delivered, and returns the acknowledgment of the reply.
func numbers(messages []object, got *[]int) (ack float64) {
	for _, m := range messages {
		if n, ok := m["data"].(float64); ok {
			*got = append(*got, int(n))
		}
		if ext, ok := m["ext"].(object); ok {
			ack, _ = ext["ack"].(float64)
		}
	}
	return ack
}

func isInOrder(got []int) bool {
	for i, n := range got {
		if n != i {
			return false
		}
	}
	return len(got) == count
}

func TestWithAcknowledgmentNothingIsMissingOrTwiceOverBrokenConnections(t *testing.T) {
	for seed := range uint64(8) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			id := w.open(`{"ack":true}`, "/a")
			random := rand.New(rand.NewPCG(seed, 1))
			go deliverAll(w.session(), rand.New(rand.NewPCG(seed, 2)))
			var got []int
			ack := 1.0
			for len(got) < count {
				messages := w.unreliable(random, id, ack)
				if messages == nil {
					continue // the client saw no reply, and asks again
				}
				ack = numbers(messages, &got)
			}
			if !isInOrder(got) {
				t.Errorf("seed %d: %v", seed, got)
			}
		})
	}
}

// unreliable sends a connect by any transport, and may break the connection or lose the reply.
func (w *world) unreliable(random *rand.Rand, id string, ack float64) []object {
	w.t.Helper()
	body := fmt.Sprintf(`,"ext":{"ack":%v},"advice":{"timeout":%d}`, ack, []int{0, 10, 1000}[random.IntN(3)])
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	if random.IntN(3) == 0 {
		after := time.AfterFunc(time.Duration(random.IntN(30))*time.Millisecond, cancel)
		defer after.Stop()
	}
	isLost := random.IntN(4) == 0
	if random.IntN(2) == 0 {
		a := w.do(ctx, connectText(id, body))
		if a.err != nil || isLost {
			return nil
		}
		return a.messages
	}
	c := w.upgrade()
	defer func() { _ = c.conn.CloseNow() }()
	c.send(wsConnect(id, body))
	_, text, err := c.conn.Read(ctx)
	if err != nil || isLost {
		return nil
	}
	var messages []object
	if err := json.Unmarshal(text, &messages); err != nil {
		w.t.Fatal(err)
	}
	return messages
}

func TestWithoutAcknowledgmentEachMessageComesOnceInOrderOnAWebSocket(t *testing.T) {
	for seed := range uint64(8) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			c := w.upgrade()
			id := c.open("", `"/a"`)
			random := rand.New(rand.NewPCG(seed, 1))
			go deliverAll(w.session(), rand.New(rand.NewPCG(seed, 2)))
			var got []int
			// The connection has no buffer: whoever writes must read meanwhile.
			frames := make(chan []object)
			go func() {
				defer close(frames)
				for {
					_, text, err := c.conn.Read(t.Context())
					if err != nil {
						return
					}
					var messages []object
					if err := json.Unmarshal(text, &messages); err != nil {
						t.Error(err)
					}
					frames <- messages
				}
			}()
			sent := make(chan string, count)
			go func() {
				for body := range sent {
					c.send(body)
				}
			}()
			defer func() {
				close(sent)
				_ = c.conn.CloseNow()
				for range frames {
				}
			}()
			sent <- wsConnect(id, `,"advice":{"timeout":50}`)
			for len(got) < count {
				if random.IntN(5) == 0 {
					sent <- subscribeText(id, `"/b"`)
				}
				messages, ok := <-frames
				if !ok {
					t.Fatalf("seed %d: the WebSocket ended after %d messages", seed, len(got))
				}
				numbers(messages, &got)
				for _, m := range messages {
					if m["channel"] == "/meta/connect" {
						sent <- wsConnect(id, `,"advice":{"timeout":50}`)
					}
				}
			}
			if !isInOrder(got) {
				t.Errorf("seed %d: %v", seed, got)
			}
		})
	}
}

func TestWithoutAcknowledgmentParallelRequestsGetEachMessageOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id := w.open("", "/a")
		done := make(chan struct{})
		go func() { deliverAll(w.session(), rand.New(rand.NewPCG(1, 2))); close(done) }()
		var mutex sync.Mutex
		seen := map[int]int{}
		var clients sync.WaitGroup
		for i := range 4 {
			body := subscribeText(id, `"/b"`)
			if i == 0 {
				body = connectText(id, `,"advice":{"timeout":20}`)
			}
			clients.Go(func() {
				for isLast := false; ; {
					var got []int
					numbers(w.do(t.Context(), body).messages, &got)
					mutex.Lock()
					for _, n := range got {
						seen[n]++
					}
					mutex.Unlock()
					if isLast {
						return
					}
					time.Sleep(5 * time.Millisecond)
					select {
					case <-done:
						isLast = true
					default:
					}
				}
			})
		}
		clients.Wait()
		for n := range count {
			if seen[n] != 1 {
				t.Errorf("message %d came %d times", n, seen[n])
			}
		}
	})
}

func TestManySessionsAtOnce(t *testing.T) {
	w := newWorld(t)
	var clients sync.WaitGroup
	for i := range 20 {
		clients.Go(func() {
			id := w.do(t.Context(), handshakeText("")).messages[0]["clientId"].(string)
			w.do(t.Context(), subscribeText(id, `"/a"`))
			for range 10 {
				w.do(t.Context(), connectText(id, `,"advice":{"timeout":1}`))
			}
			if i%2 == 0 {
				w.do(t.Context(), fmt.Sprintf(`{"channel":"/meta/disconnect","clientId":%q}`, id))
			}
		})
	}
	clients.Wait()
	if w.server.Sessions() != 10 || w.ends()[cometd.EndDisconnect] != 10 {
		t.Errorf("%d sessions, ends %v", w.server.Sessions(), w.ends())
	}
}
