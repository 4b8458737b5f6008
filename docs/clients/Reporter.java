// Reports events to Observatory: copy this file into a package of yours and own it. Java 17 or later,
// standard library only.
//
// A service must never wait for its monitor. So report() only puts the event into a bounded buffer; a
// daemon thread sends what has gathered. Where Observatory is slow or away, events are dropped and
// counted, and the service goes on as if nothing had happened. A key, where Observatory asks for one, is
// read once from the file that the variable OBSERVATORY_KEY_FILE names.

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** One for the whole process; any thread may call it. */
public final class Reporter implements AutoCloseable {
    private static final int BUFFER = 10_000; // events that may wait; the next one is dropped
    private static final int BATCH = 500; // events in one request, at most
    private static final long INTERVAL_NS = 100_000_000; // how long an event waits for others
    private static final Duration TIMEOUT = Duration.ofSeconds(1); // for each request, and for close()
    private static final long RETRY_MAX_S = 10; // a longer Retry-After is cut to this

    private record Event(String node, String token, Instant at) {}

    private final BlockingQueue<Event> events = new ArrayBlockingQueue<>(BUFFER);
    private final AtomicLong dropped = new AtomicLong();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread worker = new Thread(this::run, "observatory-reporter");
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(TIMEOUT).build();
    private final URI uri;
    private final String key; // null: none
    private volatile long endNs; // when close() gives up; counts once closing has begun

    public Reporter(String url) {
        uri = URI.create(url.replaceAll("/+$", "") + "/events");
        key = readKey(System.getenv("OBSERVATORY_KEY_FILE"));
        worker.setDaemon(true);
        worker.start();
    }

    /** Says that {@code node} saw the message {@code token} now. Never blocks, never throws. */
    public void report(String node, String token) {
        if (closing.getCount() == 0 || !events.offer(new Event(node, token, Instant.now()))) {
            dropped.incrementAndGet();
        }
    }

    /** How many events were not delivered. */
    public long dropped() {
        return dropped.get();
    }

    /** Sends what is left, for at most a second. */
    @Override
    public void close() {
        endNs = System.nanoTime() + TIMEOUT.toNanos();
        closing.countDown();
        try {
            worker.join(2 * TIMEOUT.toMillis()); // it ends sooner, unless the machine hangs
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        while (closing.getCount() > 0 || !events.isEmpty()) {
            List<Event> batch = gather();
            if (!batch.isEmpty() && !send(batch)) {
                dropped.addAndGet(batch.size());
            }
        }
    }

    private List<Event> gather() {
        List<Event> batch = new ArrayList<>();
        long end = System.nanoTime() + INTERVAL_NS;
        try {
            while (batch.size() < BATCH) {
                long left = closing.getCount() > 0 ? end - System.nanoTime() : 0;
                Event event = events.poll(left, TimeUnit.NANOSECONDS);
                if (event == null) {
                    break;
                }
                batch.add(event);
                events.drainTo(batch, BATCH - batch.size());
            }
        } catch (InterruptedException interrupted) {
            // Nobody interrupts this thread; what has been gathered is sent.
        }
        return batch;
    }

    private boolean send(List<Event> batch) {
        try {
            StringBuilder body = new StringBuilder();
            for (Event event : batch) {
                body.append("{\"node\":").append(quoted(event.node()));
                body.append(",\"token\":").append(quoted(event.token()));
                body.append(",\"timestamp\":").append(ChronoUnit.MICROS.between(Instant.EPOCH, event.at()));
                body.append("}\n");
            }
            HttpResponse<Void> answer = post(body.toString());
            if (answer.statusCode() == 503) { // pushed back, once: nothing was taken, so the whole batch goes again
                String seconds = answer.headers().firstValue("Retry-After").orElse("");
                long wait = seconds.matches("\\d{1,9}") ? Long.parseLong(seconds) : 1;
                closing.await(Math.min(wait, RETRY_MAX_S), TimeUnit.SECONDS);
                answer = post(body.toString());
            }
            return answer.statusCode() / 100 == 2;
        } catch (IOException | InterruptedException | RuntimeException failed) {
            return false; // whatever it was, the service must not feel it
        }
    }

    private HttpResponse<Void> post(String body) throws IOException, InterruptedException {
        long left = closing.getCount() > 0 ? TIMEOUT.toNanos() : Math.min(TIMEOUT.toNanos(), endNs - System.nanoTime());
        if (left <= 0) {
            throw new IOException("closed");
        }
        HttpRequest.Builder request = HttpRequest.newBuilder(uri)
                .timeout(Duration.ofNanos(left))
                .header("Content-Type", "application/x-ndjson")
                .POST(HttpRequest.BodyPublishers.ofString(body));
        if (key != null) {
            request.header("Authorization", "Bearer " + key);
        }
        return client.send(request.build(), HttpResponse.BodyHandlers.discarding());
    }

    private static String readKey(String file) {
        try {
            return file == null ? null : Files.readString(Path.of(file)).strip();
        } catch (IOException | RuntimeException e) {
            return null; // Observatory refuses what it must, and the events are counted as dropped
        }
    }

    /** As a JSON string, in ASCII. */
    private static String quoted(String text) {
        if (text == null) {
            return "null"; // Observatory refuses it, and says so
        }
        StringBuilder json = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c < ' ' || c > '~') {
                json.append(String.format("\\u%04x", (int) c));
            } else {
                json.append(c);
            }
        }
        return json.append('"').toString();
    }
}
