//! A real RabbitMQ on ports of its own, and somebody who publishes.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use tempfile::TempDir;

use crate::harness::wait_until;

const BIN: &str = "/usr/lib/rabbitmq/bin";
/// How often it is started, on other ports each time, before that counts as failed.
const STARTS: usize = 3;

/// Whether a broker can be had; without one a test is skipped, unless `OBSERVATORY_BROKER=all` demands it.
pub(crate) fn there() -> bool {
    let there = Path::new(BIN).is_dir();
    assert!(there || std::env::var_os("OBSERVATORY_BROKER").is_none(), "no RabbitMQ is installed");
    there
}

/// A broker that runs; it ends with this.
pub(crate) struct Broker {
    child: Child,
    folder: TempDir,
    pub(crate) port: u16,
    names_port: u16,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Broker {
    /// Starts one, and waits until it takes connections. Somebody may take a port before it does: then it tries others.
    pub(crate) fn start() -> Self {
        for _ in 0..STARTS {
            let broker = Self::spawn();
            if broker.comes_up() {
                return broker;
            }
        }
        panic!("RabbitMQ does not start, whatever its ports");
    }

    fn spawn() -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("plugins"), "[].").unwrap();
        let (port, names_port) = (free_port(), free_port());
        let child = Self::command(folder.path(), names_port, "rabbitmq-server")
            .env("RABBITMQ_NODE_PORT", port.to_string())
            .env("RABBITMQ_DIST_PORT", free_port().to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, folder, port, names_port }
    }

    fn command(folder: &Path, names_port: u16, program: &str) -> Command {
        let at = |name: &str| folder.join(name);
        let mut command = Command::new(Path::new(BIN).join(program));
        command
            .env("HOME", folder)
            .env("RABBITMQ_NODENAME", format!("observatory-{names_port}@localhost"))
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("ERL_EPMD_PORT", names_port.to_string())
            .env("RABBITMQ_MNESIA_BASE", at("mnesia"))
            .env("RABBITMQ_LOG_BASE", at("log"))
            .env("RABBITMQ_PID_FILE", at("pid"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", at("plugins"))
            .env("RABBITMQ_CONFIG_FILE", at("none"))
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}")
            .stdin(Stdio::null());
        command
    }

    /// Runs `rabbitmqctl` with these arguments.
    pub(crate) fn try_ctl(&self, arguments: &[&str]) -> Output {
        let mut command = Self::command(self.folder.path(), self.names_port, "rabbitmqctl");
        command.args(["--quiet"]).args(arguments).output().unwrap()
    }

    /// Runs `rabbitmqctl`, which must succeed; gives what it prints.
    pub(crate) fn ctl(&self, arguments: &[&str]) -> String {
        let output = self.try_ctl(arguments);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// Waits until it runs; answers whether it does.
    fn comes_up(&self) -> bool {
        // The names' server comes up with the node, and the node with its pid file.
        let pid_file = self.folder.path().join("pid");
        let wait = ["wait", "--timeout", "60", pid_file.to_str().unwrap()];
        (0..4).any(|_| self.try_ctl(&wait).status.success())
    }

    /// How many messages a queue holds, those on the way to somebody included.
    pub(crate) fn messages(&self, queue: &str) -> u64 {
        let list = self.ctl(&["list_queues", "name", "messages", "--no-table-headers"]);
        let line = list.lines().find_map(|line| line.strip_prefix(queue)?.strip_prefix('\t'));
        line.map_or(0, |number| number.trim().parse().unwrap())
    }

    pub(crate) fn url(&self) -> String {
        url_at(self.port)
    }

    /// Waits until a queue is empty.
    pub(crate) fn await_empty(&self, queue: &str) {
        wait_until(&format!("{queue} is empty"), || (self.messages(queue) == 0).then_some(()));
    }
}

/// By way of any port.
pub(crate) fn url_at(port: u16) -> String {
    format!("amqp://guest:guest@127.0.0.1:{port}/%2f")
}

impl Drop for Broker {
    fn drop(&mut self) {
        drop(self.try_ctl(&["stop"]));
        drop(self.child.kill());
        drop(self.child.wait());
        let mut names = Command::new("epmd");
        drop(names.env("ERL_EPMD_PORT", self.names_port.to_string()).arg("-kill").stdout(Stdio::null()).status());
    }
}

/// Publishes, and knows what the broker has confirmed.
pub(crate) struct Publisher {
    url: String,
    channel: Option<(Connection, Channel)>,
}

impl Publisher {
    pub(crate) fn new(broker: &Broker) -> Self {
        Self { url: broker.url(), channel: None }
    }

    async fn channel(&mut self) -> lapin::Result<&Channel> {
        if self.channel.as_ref().is_none_or(|(_, channel)| !channel.status().connected()) {
            let connection = Connection::connect(&self.url, ConnectionProperties::default()).await?;
            let channel = connection.create_channel().await?;
            channel.confirm_select(ConfirmSelectOptions::default()).await?;
            self.channel = Some((connection, channel));
        }
        Ok(&self.channel.as_ref().unwrap().1)
    }

    async fn try_publish(&mut self, queue: &str, body: &[u8], properties: BasicProperties) -> lapin::Result<bool> {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let properties = properties.with_delivery_mode(2);
        let confirm = self.channel().await?.basic_publish("".into(), queue.into(), options, body, properties).await?;
        let confirm = confirm.await?;
        Ok(confirm.is_ack() && confirm.take_message().is_none())
    }

    /// Publishes to a queue until the broker confirms: perhaps more than once, never less.
    pub(crate) async fn publish(&mut self, queue: &str, body: &[u8], properties: BasicProperties) {
        let deadline = tokio::time::Instant::now() + 2 * crate::harness::PATIENCE;
        while !self.try_publish(queue, body, properties.clone()).await.unwrap_or(false) {
            assert!(tokio::time::Instant::now() < deadline, "the broker confirms nothing");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
}
