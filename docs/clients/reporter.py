"""Reports events to Observatory: copy this file and own it. Python 3.8 or later, standard library only.

A service must never wait for its monitor. So report() only puts the event into a bounded buffer; a
background thread sends what has gathered. Where Observatory is slow or away, events are dropped and
counted, and the service goes on as if nothing had happened. A key, where Observatory asks for one, is
read once from the file that the variable OBSERVATORY_KEY_FILE names.
"""

import json
import math
import os
import queue
import threading
import time
import urllib.error
import urllib.request

BUFFER = 10_000  # events that may wait; the next one is dropped
BATCH = 500  # events in one request, at most
INTERVAL_S = 0.1  # how long an event waits for others
TIMEOUT_S = 1  # for each request, and for close()
RETRY_MAX_S = 10  # a longer Retry-After is cut to this


class Reporter:
    """One for the whole process; any thread may call it. After a fork, make a new one."""

    def __init__(self, url="http://127.0.0.1:8700"):
        self._url = url.rstrip("/") + "/events"
        self._headers = {"Content-Type": "application/x-ndjson"}
        try:
            with open(os.environ["OBSERVATORY_KEY_FILE"]) as file:
                self._headers["Authorization"] = "Bearer " + file.read().strip()
        except (KeyError, OSError):
            pass  # without a key: Observatory refuses what it must, and the events are counted as dropped
        self._events = queue.Queue(BUFFER)
        self._wake, self._closing, self._end = threading.Event(), threading.Event(), math.inf
        self._dropped, self._lock = 0, threading.Lock()
        self._worker = threading.Thread(target=self._run, name="observatory-reporter", daemon=True)
        self._worker.start()

    def report(self, node, token):
        """Says that `node` saw the message `token` now. Never blocks, never raises."""
        timestamp = time.time_ns() // 1000
        try:
            if self._closing.is_set():
                raise queue.Full
            self._events.put_nowait({"node": node, "token": token, "timestamp": timestamp})
            if self._events.qsize() >= BATCH:
                self._wake.set()
        except queue.Full:
            self._drop(1)

    @property
    def dropped(self):
        """How many events were not delivered."""
        return self._dropped

    def close(self):
        """Sends what is left, for at most a second."""
        self._end = time.monotonic() + TIMEOUT_S
        self._closing.set()
        self._wake.set()
        self._worker.join(2 * TIMEOUT_S)  # it ends sooner, unless the machine hangs

    def _run(self):
        last = False
        while not last:
            self._wake.wait(INTERVAL_S)
            self._wake.clear()
            last = self._closing.is_set()
            full = True
            while full:  # where a whole batch was waiting there may be more
                batch = self._take()
                full = len(batch) == BATCH
                if batch and not self._send(batch):
                    self._drop(len(batch))

    def _take(self):
        batch = []
        try:
            while len(batch) < BATCH:
                batch.append(self._events.get_nowait())
        except queue.Empty:
            pass
        return batch

    def _send(self, batch):
        try:
            body = "".join(json.dumps(event, default=str) + "\n" for event in batch).encode()
            wait = self._post(body)
            if wait is not None:  # pushed back, once: nothing was taken, so the whole batch goes again
                self._closing.wait(wait)
                wait = self._post(body)
            return wait is None
        except Exception:  # whatever it was, the service must not feel it
            return False

    def _post(self, body):
        """None when the batch was accepted, or how many seconds to wait before it is sent again."""
        left = min(TIMEOUT_S, self._end - time.monotonic())
        if left <= 0:
            raise TimeoutError
        request = urllib.request.Request(self._url, body, self._headers)
        try:
            urllib.request.urlopen(request, timeout=left).close()
            return None
        except urllib.error.HTTPError as answer:
            answer.close()
            if answer.code != 503:
                raise
            seconds = answer.headers.get("Retry-After", "")
            return min(int(seconds), RETRY_MAX_S) if seconds.isdecimal() else 1

    def _drop(self, count):
        with self._lock:
            self._dropped += count
