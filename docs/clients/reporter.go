// Package observatory reports events to Observatory: copy this file and own it. Go 1.19 or later,
// standard library only.
//
// A service must never wait for its monitor. So Report only puts the event into a bounded buffer; a
// goroutine sends what has gathered. Where Observatory is slow or away, events are dropped and
// counted, and the service goes on as if nothing had happened. A key, where Observatory asks for one, is
// read once from the file that the variable OBSERVATORY_KEY_FILE names.
package observatory

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	buffer   = 10_000                 // events that may wait; the next one is dropped
	maxBatch = 500                    // events in one request, at most
	interval = 100 * time.Millisecond // how long an event waits for others
	timeout  = time.Second            // for each request, and for Close
	maxRetry = 10                     // seconds; a longer Retry-After is cut to this
)

type event struct {
	Node      string `json:"node"`
	Token     string `json:"token"`
	Timestamp int64  `json:"timestamp"`
}

// Reporter is made once for the whole process; any goroutine may call it.
type Reporter struct {
	url, key      string
	client        http.Client
	events        chan event
	dropped       atomic.Int64
	end           time.Time // when Close gives up; to be read once closing is closed
	closing, done chan struct{}
	once          sync.Once
}

// New reports to the Observatory at url, such as "http://127.0.0.1:8700".
func New(url string) *Reporter {
	r := &Reporter{
		url:     strings.TrimRight(url, "/") + "/events",
		events:  make(chan event, buffer),
		closing: make(chan struct{}),
		done:    make(chan struct{}),
	}
	// Without one Observatory refuses what it must, and the events are counted as dropped.
	if key, err := os.ReadFile(os.Getenv("OBSERVATORY_KEY_FILE")); err == nil {
		r.key = strings.TrimSpace(string(key))
	}
	go r.run()
	return r
}

// Report says that node saw the message token now. It never blocks and never panics.
func (r *Reporter) Report(node, token string) {
	select {
	case <-r.closing:
		r.dropped.Add(1)
		return
	default:
	}
	select {
	case r.events <- event{node, token, time.Now().UnixMicro()}:
	default:
		r.dropped.Add(1)
	}
}

// Dropped is how many events were not delivered.
func (r *Reporter) Dropped() int64 { return r.dropped.Load() }

// Close sends what is left, for at most a second.
func (r *Reporter) Close() {
	r.once.Do(func() {
		r.end = time.Now().Add(timeout)
		close(r.closing)
	})
	select {
	case <-r.done:
	case <-time.After(2 * timeout): // it ends sooner, unless the machine hangs
	}
}

func (r *Reporter) run() {
	defer close(r.done)
	tick := time.NewTicker(interval)
	defer tick.Stop()
	var batch []event
	for {
		select {
		case e := <-r.events:
			if batch = append(batch, e); len(batch) < maxBatch {
				continue
			}
		case <-tick.C:
		case <-r.closing:
			for {
				for len(batch) < maxBatch && len(r.events) > 0 {
					batch = append(batch, <-r.events)
				}
				if len(batch) == 0 {
					return
				}
				r.send(batch)
				batch = batch[:0]
			}
		}
		r.send(batch)
		batch = batch[:0]
	}
}

func (r *Reporter) send(batch []event) {
	if len(batch) == 0 {
		return
	}
	var body bytes.Buffer
	lines := json.NewEncoder(&body) // ends each value with a newline
	for _, e := range batch {
		_ = lines.Encode(e) // strings and numbers can always be encoded
	}
	status, wait := r.post(body.Bytes())
	if status == http.StatusServiceUnavailable {
		// Pushed back, once: nothing was taken, so the whole batch goes again.
		select {
		case <-time.After(wait):
		case <-r.closing:
		}
		status, _ = r.post(body.Bytes())
	}
	if status/100 != 2 {
		r.dropped.Add(int64(len(batch)))
	}
}

// post gives the answer's status, 0 where there was none, and the Retry-After.
func (r *Reporter) post(body []byte) (int, time.Duration) {
	left := timeout
	select {
	case <-r.closing:
		if rest := time.Until(r.end); rest < left {
			left = rest
		}
	default:
	}
	limit, cancel := context.WithTimeout(context.Background(), left)
	defer cancel()
	request, err := http.NewRequestWithContext(limit, http.MethodPost, r.url, bytes.NewReader(body))
	if err != nil {
		return 0, 0
	}
	request.Header.Set("Content-Type", "application/x-ndjson")
	if r.key != "" {
		request.Header.Set("Authorization", "Bearer "+r.key)
	}
	// Duplicates change nothing, so net/http may repeat the request where a kept connection turns out
	// to be closed. This tells it so; an empty list is not sent as a header.
	request.Header["Idempotency-Key"] = []string{}
	answer, err := r.client.Do(request)
	if err != nil {
		return 0, 0
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body) // read to its end, so that the connection can be used again
	seconds, err := strconv.Atoi(answer.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		seconds = 1
	}
	if seconds > maxRetry {
		seconds = maxRetry
	}
	return answer.StatusCode, time.Duration(seconds) * time.Second
}
