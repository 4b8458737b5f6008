//! Events from a real RabbitMQ, through all that can happen to it.

pub(crate) mod broker;
mod proxy;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use observatory::clock::{Clock, MonotonicClock, SECOND_US};
use serde_json::Value;

use broker::{Broker, Publisher, there, url_at};
use proxy::Proxy;

use crate::harness::{Server, event, wait_until};

fn manifest(url: &str, more: &str) -> String {
    format!(
        r#"
        [[input.amqp]]
        name = "orders-mq"
        nodes = ["web", "worker"]
        url = "{url}"
        queue = "events"
        {more}

        [[stream]]
        name = "orders"
          [[stream.edge]]
          from = "web"
          to = "worker"
          check = {{ within = "2s" }}
        "#
    )
}

fn input(server: &Server) -> Value {
    let status = server.get("/status").json();
    status["inputs"].as_array().unwrap().iter().find(|input| input["kind"] == "amqp").unwrap().clone()
}

fn await_state(server: &Server, state: &str) {
    wait_until(&format!("the input is {state}"), || (input(server)["state"] == state).then_some(()));
}

fn await_ledger(server: &Server, field: &str, count: u64) -> Value {
    wait_until(&format!("{field} is {count}"), || {
        let ledger = server.edge(0)["ledger"].clone();
        (ledger[field] == count).then_some(ledger)
    })
}

/// What a counter of the metrics says.
fn counter(server: &Server, line: &str) -> u64 {
    let text = server.get("/metrics").body;
    let value = text.lines().find_map(|other| other.strip_prefix(line)?.strip_prefix(' '));
    value.map_or(0, |value| value.parse().unwrap())
}

fn run(test: impl Future<Output = ()>) {
    actix_web::rt::System::new().block_on(test);
}

/// A pair of events of one message.
async fn pair(publisher: &mut Publisher, token: &str) {
    for node in ["web", "worker"] {
        publisher.publish("events", event(node, token).as_bytes(), BasicProperties::default()).await;
    }
}

#[test]
fn whatever_happens_to_the_broker_each_event_counts_once_and_nobody_is_accused() {
    if !there() {
        return;
    }
    let broker = Broker::start();
    let server = Server::start(&manifest(&broker.url(), "exchange = \"observatory\""));
    await_state(&server, "up");
    assert!(
        broker.ctl(&["list_bindings", "--no-table-headers"]).contains("observatory\texchange\tevents\tqueue\tevents")
    );
    let mut pairs = 0;
    let mut traffic = |count: u64| {
        run(async {
            let mut publisher = Publisher::new(&broker);
            for number in pairs..pairs + count {
                pair(&mut publisher, &format!("message-{number}")).await;
            }
        });
        pairs += count;
        pairs
    };
    let sent = traffic(200);
    await_ledger(&server, "pass", sent);

    broker.ctl(&["close_all_connections", "a test"]);
    let sent = traffic(100);
    await_ledger(&server, "pass", sent);

    broker.ctl(&["stop_app"]);
    await_state(&server, "down");
    assert!(input(&server)["last_error"]["error"].is_string());
    broker.ctl(&["start_app"]);
    let sent = traffic(100);
    await_ledger(&server, "pass", sent);
    await_state(&server, "up");

    broker.ctl(&["clear_permissions", "guest"]);
    broker.ctl(&["close_all_connections", "a test"]);
    await_state(&server, "down");
    broker.ctl(&["set_permissions", "guest", ".*", ".*", ".*"]);
    let sent = traffic(100);
    await_ledger(&server, "pass", sent);
    await_state(&server, "up");

    broker.await_empty("events");
    broker.ctl(&["delete_queue", "events"]);
    wait_until("the queue is there again", || {
        broker.ctl(&["list_queues", "name", "--no-table-headers"]).contains("events").then_some(())
    });
    let sent = traffic(100);
    let ledger = await_ledger(&server, "pass", sent);
    assert_eq!((&ledger["upstream"], &ledger["in_flight"]), (&sent.into(), &0.into()));
    for wrong in ["late", "missing", "indeterminate", "orphans"] {
        assert_eq!(ledger[wrong], 0, "{wrong} in {ledger}");
    }
    broker.await_empty("events");
}

#[test]
fn a_message_from_which_nothing_can_be_taken_is_kept_aside_once() {
    if !there() {
        return;
    }
    let broker = Broker::start();
    let mut server = Server::start(&manifest(&broker.url(), "dead_letter = \"dead\""));
    await_state(&server, "up");
    run(async {
        let mut publisher = Publisher::new(&broker);
        let mixed = format!("[{}, {}]", event("web", "mixed"), event("wbe", "mixed"));
        publisher.publish("events", mixed.as_bytes(), BasicProperties::default()).await;
        for number in 0..5 {
            publisher.publish("events", b"poison", BasicProperties::default()).await;
            pair(&mut publisher, &format!("message-{number}")).await;
        }
    });
    await_ledger(&server, "upstream", 6);
    broker.await_empty("events");
    assert_eq!(broker.messages("dead"), 5);
    let rejected = |reason| {
        counter(&server, &format!("observatory_events_rejected_total{{input=\"orders-mq\",reason=\"{reason}\"}}"))
    };
    assert_eq!((rejected("syntax"), rejected("unknown_node")), (5, 1), "each once: nothing was delivered again");
    assert_eq!(counter(&server, "observatory_events_total{input=\"orders-mq\"}"), 11);
    wait_until("the error is told", || {
        let error = input(&server)["last_error"]["error"].clone();
        error.as_str().is_some_and(|error| error.contains("nothing can be taken")).then_some(())
    });
    assert!(server.stop().success());

    // Again, with a file to keep them in.
    let files = crate::harness::Files::new();
    let quarantine = files.path("poison.ndjson");
    let server = Server::start(&manifest(&broker.url(), &format!("quarantine = {quarantine:?}")));
    run(async { Publisher::new(&broker).publish("events", b"\xffpoison", BasicProperties::default()).await });
    let kept =
        wait_until("it is kept", || std::fs::read_to_string(&quarantine).ok().filter(|text| text.ends_with('\n')));
    broker.await_empty("events");
    let line: Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(line["body"][0], 255);
    assert!(line["error"].as_str().unwrap().contains("UTF-8"), "{line}");
    drop(server);

    // With nowhere to keep them they are rejected, and the connection goes on.
    let server = Server::start(&manifest(&broker.url(), ""));
    await_state(&server, "up");
    run(async {
        let mut publisher = Publisher::new(&broker);
        for number in 0..3 {
            pair(&mut publisher, &format!("good-{number}")).await;
            publisher.publish("events", b"poison", BasicProperties::default()).await;
        }
        pair(&mut publisher, "good-3").await;
    });
    await_ledger(&server, "pass", 4);
    broker.await_empty("events");
    assert!(!server.log().contains("the input is down"), "{}", server.log());
}

#[test]
fn what_is_handed_over_while_more_is_read_is_settled_once() {
    if !there() {
        return;
    }
    let broker = Broker::start();
    let files = crate::harness::Files::new();
    let path = files.write("manifest.toml", &manifest(&broker.url(), "prefetch = 8\ndead_letter = \"dead\""));
    let data_dir = files.path("data");
    let mut serve = crate::harness::observatory();
    serve.args(["serve", &path, "--listen", "127.0.0.1:0", "--data-dir", data_dir.to_str().unwrap()]);
    let server = Server::spawn(&mut serve);
    await_state(&server, "up");
    run(async {
        let mut publisher = Publisher::new(&broker);
        for number in 0..100 {
            pair(&mut publisher, &format!("message-{number}")).await;
            publisher.publish("events", b"poison", BasicProperties::default()).await;
        }
    });
    let ledger = await_ledger(&server, "pass", 100);
    broker.await_empty("events");
    assert_eq!((&ledger["upstream"], &ledger["duplicates"]), (&100.into(), &0.into()), "none was delivered again");
    assert_eq!(broker.messages("dead"), 100);
    let rejected = counter(&server, "observatory_events_rejected_total{input=\"orders-mq\",reason=\"syntax\"}");
    assert_eq!(rejected, 100);
    assert_eq!(lines(&server, "the input is connected"), 1, "{}", server.log());
}

/// How many lines of the log hold this.
fn lines(server: &Server, text: &str) -> usize {
    server.log().lines().filter(|line| line.contains(text)).count()
}

#[test]
fn what_goes_on_being_wrong_is_logged_once() {
    if !there() {
        return;
    }
    let broker = Broker::start();
    let files = crate::harness::Files::new();
    let quarantine = files.path("kept/poison.ndjson");
    std::fs::create_dir(files.path("kept")).unwrap();
    let server = Server::start(&manifest(&broker.url(), &format!("quarantine = {quarantine:?}")));
    await_state(&server, "up");
    let clock = MonotonicClock::start();
    run(async {
        let mut publisher = Publisher::new(&broker);
        let until_us = clock.now_us() + 6 * SECOND_US;
        let mixed = format!("[{}, {}]", event("web", "mixed"), event("wbe", "mixed"));
        while clock.now_us() < until_us {
            for body in [b"poison".as_slice(), mixed.as_bytes()] {
                publisher.publish("events", body, BasicProperties::default()).await;
            }
        }
    });
    broker.await_empty("events");
    for said in ["a message is kept aside", "events are refused"] {
        assert_eq!(lines(&server, said), 1, "{said}: {}", server.log());
    }

    // The session ends as soon as it begins, again and again.
    std::fs::rename(files.path("kept"), files.path("gone")).unwrap();
    run(async { Publisher::new(&broker).publish("events", b"poison", BasicProperties::default()).await });
    let mut last = Value::Null;
    for _ in 0..4 {
        last = wait_until("it was tried", || {
            let error = input(&server)["last_error"].clone();
            (error != last && error["error"].as_str()?.contains("failed to write")).then_some(error)
        });
    }
    assert_eq!(lines(&server, "the input is down"), 1, "{}", server.log());
    assert!(lines(&server, "the input is connected") <= 2, "{}", server.log());
    std::fs::rename(files.path("gone"), files.path("kept")).unwrap();
    broker.await_empty("events");
    await_state(&server, "up");
}

#[test]
fn fields_come_from_where_the_map_says() {
    if !there() {
        return;
    }
    let broker = Broker::start();
    let map = r#"map = { node = "header:service", token = "header:traceparent", timestamp = "body:/at", unit = "ms" }"#;
    let server = Server::start(&manifest(&broker.url(), map));
    await_state(&server, "up");
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    run(async {
        let mut publisher = Publisher::new(&broker);
        for (service, at_ms) in [("web", 1_763_640_000_000_u64), ("worker", 1_763_640_002_750)] {
            let mut headers = FieldTable::default();
            headers.insert("service".into(), AMQPValue::LongString(service.into()));
            headers.insert("traceparent".into(), AMQPValue::LongString(traceparent.into()));
            let properties = BasicProperties::default().with_headers(headers);
            publisher.publish("events", format!(r#"{{"at": {at_ms}}}"#).as_bytes(), properties).await;
        }
    });
    await_ledger(&server, "late", 1);
    let detail = server.get("/api/v1/streams/orders/edges/web/worker").json();
    assert_eq!(detail["fails"][0]["token"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(detail["fails"][0]["latency_ms"], 2750.0);
}

#[test]
fn a_connection_that_is_dead_but_not_closed_is_found_within_20_s() {
    if !there() {
        return;
    }
    let broker = Broker::start();
    let proxy = Proxy::start(broker.port);
    let server = Server::start(&manifest(&url_at(proxy.port), ""));
    await_state(&server, "up");
    proxy.hold(true);
    let clock = MonotonicClock::start();
    let began_us = clock.now_us();
    await_state(&server, "down");
    assert!(clock.now_us() < began_us + 20 * SECOND_US, "it took {} us", clock.now_us() - began_us);
    proxy.hold(false);
    run(async { pair(&mut Publisher::new(&broker), "after").await });
    let ledger = await_ledger(&server, "pass", 1);
    assert_eq!(ledger["missing"], 0);
}
