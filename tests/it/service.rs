//! What a service manager is told over its socket, and the unit that asks for it.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process::Command;

use crate::harness::{Files, ORDERS, PATIENCE, Server, observatory};

/// A service manager's end of the socket.
struct Manager {
    socket: UnixDatagram,
}

impl Manager {
    fn new(socket: UnixDatagram) -> Self {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket }
    }

    /// The next message; those that do not begin so are passed over.
    fn hear(&self, begin: &str) -> String {
        let mut message = [0; 4096];
        loop {
            let length = self.socket.recv(&mut message).unwrap_or_else(|error| panic!("no {begin}: {error}"));
            let text = String::from_utf8(message[..length].to_vec()).unwrap();
            if text.starts_with(begin) {
                return text;
            }
        }
    }
}

/// Serves `ORDERS` for a manager that listens there.
fn serve(files: &Files, notify: &str, watchdog_us: Option<&str>) -> Server {
    let path = files.write("orders.toml", ORDERS);
    let mut command = observatory();
    command.args(["serve", &path, "--listen", "127.0.0.1:0"]).env("NOTIFY_SOCKET", notify);
    match watchdog_us {
        Some(patience_us) => command.env("WATCHDOG_USEC", patience_us),
        None => command.env_remove("WATCHDOG_USEC"),
    };
    Server::spawn(command.env_remove("WATCHDOG_PID"))
}

#[test]
fn a_manager_hears_of_the_start_of_life_of_reloads_and_of_the_end() {
    let files = Files::new();
    let manager = Manager::new(UnixDatagram::bind(files.path("notify")).unwrap());
    let mut server = serve(&files, files.path("notify").to_str().unwrap(), Some("300000"));
    assert_eq!(manager.hear("READY"), "READY=1");
    assert_eq!(manager.hear("STATUS"), "STATUS=1 stream: 1 UNKNOWN; 0 messages remembered");
    for _ in 0..3 {
        assert_eq!(manager.hear("WATCHDOG"), "WATCHDOG=1");
    }
    // Also where the manifest reads as it did: whoever asked for the reload waits for its end.
    for manifest in [ORDERS.to_owned(), ORDERS.replace("200ms", "300ms")] {
        files.write("orders.toml", &manifest);
        server.signal("HUP");
        let reloading = manager.hear("RELOADING=1\nMONOTONIC_USEC=");
        let at_us = reloading.rsplit('=').next().unwrap();
        assert!(at_us.parse::<u64>().unwrap() > 0, "{reloading}");
        manager.hear("READY");
    }
    server.signal("TERM");
    assert_eq!(manager.hear("STOPPING"), "STOPPING=1");
    assert_eq!(server.wait().code(), Some(0));
    assert!(!server.log().contains("WARN"), "{}", server.log());
}

#[test]
fn an_abstract_socket_does_as_well_and_without_a_watchdog_there_are_no_signs_of_life() {
    let name = format!("observatory-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let manager = Manager::new(UnixDatagram::bind_addr(&address).unwrap());
    let files = Files::new();
    let mut server = serve(&files, &format!("@{name}"), None);
    assert_eq!(manager.hear(""), "READY=1");
    assert!(manager.hear("").starts_with("STATUS="));
    server.signal("TERM");
    assert_eq!(manager.hear(""), "STOPPING=1");
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn a_manager_that_does_not_listen_is_no_failure() {
    let files = Files::new();
    let mut server = serve(&files, files.path("nobody").to_str().unwrap(), None);
    assert_eq!(server.get("/health/ready").status, 200);
    assert_eq!(server.stop().code(), Some(0));
    assert!(server.log().contains("failed to tell the service manager"), "{}", server.log());
}

/// What the unit must say for the text of the documents to be true.
#[test]
fn the_unit_is_hardened() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/observatory.service");
    let unit = std::fs::read_to_string(path).unwrap();
    for line in [
        "Type=notify",
        "WatchdogSec=30s",
        "Restart=on-failure",
        "ExecReload=/bin/kill -HUP $MAINPID",
        "DynamicUser=yes",
        "StateDirectory=observatory",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "MemoryDenyWriteExecute=yes",
        "CapabilityBoundingSet=",
    ] {
        assert!(unit.lines().any(|known| known == line), "the unit does not say {line}");
    }
}

/// Where systemd is installed it reads the unit itself: nothing in it is unknown, and little is left open.
#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    let Ok(version) = Command::new("systemd-analyze").arg("--version").output() else {
        println!("skipped: there is no systemd-analyze here");
        return;
    };
    assert!(version.status.success());
    // It looks for the binary where the package puts it.
    let root = Files::new();
    let unit = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/observatory.service")).unwrap();
    let here = unit.replace("/usr/bin/observatory", env!("CARGO_BIN_EXE_observatory"));
    let path = root.write("observatory.service", &here);
    let verified = Command::new("systemd-analyze").args(["verify", "--man=no", &path]).output().unwrap();
    let said = String::from_utf8_lossy(&verified.stderr);
    let ours: Vec<_> = said.lines().filter(|line| line.contains("observatory")).collect();
    assert!(verified.status.success() && ours.is_empty(), "{said}");
    let arguments = ["security", "--offline=yes", "--threshold=20", "--no-pager", &path];
    let rated = Command::new("systemd-analyze").args(arguments).output().unwrap();
    assert!(rated.status.success(), "{}", String::from_utf8_lossy(&rated.stdout));
}
