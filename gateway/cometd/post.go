package cometd

import (
	"crypto/rand"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// servePost answers the messages of a POST. Their path does not matter: clients append what they send.
func (s *Server) servePost(w http.ResponseWriter, r *http.Request) {
	if isForm(r.Header.Get("Content-Type")) {
		s.options.Refuse(w, r, http.StatusUnsupportedMediaType, "The body is a form; send application/json.")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		s.options.Refuse(w, r, statusOf(err), "The body could not be read, or is larger than "+strconv.Itoa(maxBody)+" bytes.")
		return
	}
	messages, err := parse(body)
	if err != nil {
		s.options.Refuse(w, r, http.StatusBadRequest, "The body is no Bayeux: "+err.Error()+".")
		return
	}
	x := &exchange{server: s, request: r, key: s.options.Identify(r), browser: browserOf(r)}
	isNew := x.browser == ""
	if isNew {
		x.browser = rand.Text()
	}
	defer x.end()
	x.run(messages)
	if x.held != nil && !x.wait(w) {
		return
	}
	if x.opened != nil && isNew {
		http.SetCookie(w, s.options.Cookie(r, browserCookie, x.browser))
	}
	f := encode(x.replies, x.carriers())
	f.done(write(w, f.text))
}

// wait holds the request until the reply to its connect is due. It reports false if there will be none.
func (x *exchange) wait(w http.ResponseWriter) bool {
	h := x.held
	switch why := x.waitFor(h); why {
	case overAbandoned:
		return false
	case overTaken:
		x.server.options.Refuse(w, x.request, http.StatusRequestTimeout, "Another connect of the session came.")
		return false
	default:
		x.reply(h.reply(why))
		return true
	}
}

func (x *exchange) waitFor(h *held) over {
	ctx := x.request.Context()
	x.server.options.Held(ctx)
	timer := time.NewTimer(h.connect.timeout)
	defer timer.Stop()
	why := overTimeout
	select {
	case why = <-h.over:
		// The client may have gone at the same time: then what came waits for its next request.
		if ctx.Err() != nil {
			return overAbandoned
		}
		return why
	case <-timer.C:
	case <-x.server.stopping(ctx):
	case <-ctx.Done():
		why = overAbandoned
	}
	if !h.session.detach(h) {
		if other := <-h.over; why != overAbandoned {
			return other
		}
	}
	return why
}

// write sends an answer. Without an error it is with the client as far as the server can know.
func write(w http.ResponseWriter, frame []byte) error {
	control := http.NewResponseController(w)
	if err := control.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(frame)))
	w.Header().Set("Cache-Control", "no-store")
	if _, err := w.Write(frame); err != nil {
		return err
	}
	if err := control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	_ = control.SetWriteDeadline(time.Time{}) // the connection's next answer has its own time
	return nil
}

// isForm reports whether a body is a form, which a page of any site can send.
func isForm(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		media, _, _ = strings.Cut(strings.ToLower(contentType), ";")
	}
	return media == "application/x-www-form-urlencoded" || strings.HasPrefix(media, "multipart/")
}

func statusOf(err error) int {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return http.StatusRequestTimeout
	}
	return http.StatusBadRequest
}
