//! TLS: with a certificate that is exchanged while the server runs.

use std::net::TcpStream;
use std::sync::Arc;

use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::harness::{Files, ORDERS, Server, observatory, raw, run, wait_until};

/// An authority, and what it vouches for.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    /// A certificate for this host and its key, in PEM.
    fn certificate(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    fn pem(&self) -> String {
        self.issuer.pem()
    }
}

struct Tls {
    server: Server,
    files: Files,
    authority: Authority,
}

fn manifest(files: &Files) -> String {
    let (certificate, key) = (files.path("server.crt"), files.path("server.key"));
    format!(
        "{ORDERS}\n[server]\ntls = {{ certificate = \"{}\", key = \"{}\" }}\n",
        certificate.display(),
        key.display()
    )
}

impl Tls {
    fn start() -> Self {
        let (files, authority) = (Files::new(), Authority::new());
        let (certificate, key) = authority.certificate();
        files.write("server.crt", &certificate);
        files.write("server.key", &key);
        files.write("ca.crt", &authority.pem());
        let manifest = files.write("m.toml", &manifest(&files));
        let server = Server::spawn(observatory().args(["serve", &manifest, "--listen", "127.0.0.1:0"]));
        Self { server, files, authority }
    }

    fn address(&self) -> &str {
        self.server.url.trim_start_matches("https://")
    }

    fn run(&self, arguments: &[&str]) -> std::process::Output {
        run(&[arguments, &["--ca-file", self.files.path("ca.crt").to_str().unwrap()]].concat(), "")
    }

    /// The certificate that the server shows.
    fn shown(&self) -> Vec<u8> {
        let mut roots = RootCertStore::empty();
        roots.add(rustls::pki_types::CertificateDer::from_pem_slice(self.authority.pem().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots).with_no_client_auth();
        let client = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
        let mut stream = StreamOwned::new(client, TcpStream::connect(self.address()).unwrap());
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).unwrap();
        }
        stream.conn.peer_certificates().unwrap()[0].to_vec()
    }

    /// Puts a certificate and its key where the server reads them.
    fn exchange(&self, certificate: &str, key: &str) {
        for (name, text) in [("server.crt", certificate), ("server.key", key)] {
            let draft = self.files.write("draft", text);
            std::fs::rename(draft, self.files.path(name)).unwrap();
        }
    }
}

#[test]
fn commands_talk_tls_to_whom_they_trust() {
    let tls = Tls::start();
    let url = tls.server.url.clone();
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");
    assert_eq!(tls.run(&["send", "web", "a", "--to", &url]).status.code(), Some(0));
    assert_eq!(tls.run(&["status", "--to", &url]).status.code(), Some(5));
    assert_eq!(tls.run(&["init", "--from", &url]).status.code(), Some(0));
    let stranger = run(&["send", "web", "a", "--to", &url], "");
    assert_eq!(stranger.status.code(), Some(1), "{stranger:?}");
    assert!(String::from_utf8(stranger.stderr).unwrap().contains("UnknownIssuer"));
    let empty = tls.files.write("empty.crt", "nothing");
    let wrong = run(&["send", "web", "a", "--to", &url, "--ca-file", &empty], "");
    assert_eq!(wrong.status.code(), Some(2));
    // Who does not shake hands is let go.
    assert!(!raw(tls.address(), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").contains("HTTP/1.1 200"));
}

#[test]
fn a_certificate_is_exchanged_while_the_server_runs() {
    let tls = Tls::start();
    let first = tls.shown();
    let (certificate, key) = tls.authority.certificate();
    tls.exchange(&certificate, &key);
    wait_until("the new certificate is shown", || (tls.shown() != first).then_some(()));
    let second = tls.shown();
    // A broken one changes nothing, and is said.
    let (other, _) = tls.authority.certificate();
    tls.exchange(&other, &key);
    tls.server.signal("HUP");
    let status = || {
        let output = tls.run(&["status", "--json", "--to", &tls.server.url]);
        assert_eq!(output.status.code(), Some(5));
        tls.server.log()
    };
    let log = wait_until("it is said", || Some(status()).filter(|log| log.contains("the certificate is bad")));
    assert!(log.contains("do not go together") && !log.contains(&key[40..100]), "{log}");
    assert_eq!(tls.shown(), second);
    tls.exchange(&certificate, "-----BEGIN nonsense");
    tls.exchange("", &key);
    assert_eq!(tls.shown(), second);
    // It heals by itself.
    let (certificate, key) = tls.authority.certificate();
    tls.exchange(&certificate, &key);
    wait_until("a good one is shown again", || (tls.shown() != second).then_some(()));
}

#[test]
fn a_server_does_not_start_with_a_certificate_that_is_wrong() {
    let (files, authority) = (Files::new(), Authority::new());
    let (certificate, key) = authority.certificate();
    let path = files.write("m.toml", &manifest(&files));
    let serve = || {
        let output = run(&["serve", &path, "--listen", "127.0.0.1:0"], "");
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    // What stops the server is what `check` says, and where.
    let check = || {
        let output = run(&["check", &path], "");
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, said) = serve();
    assert!(code == Some(2) && said.contains("server.crt"), "{said}");
    let (code, said) = check();
    assert!(code == Some(2) && said.contains("server.crt: No such file") && said.contains("m.toml:"), "{said}");
    files.write("server.crt", &certificate);
    files.write("server.key", "hunter2");
    let (code, said) = serve();
    assert!(code == Some(2) && said.contains("server.key") && !said.contains("hunter2"), "{said}");
    files.write("server.key", &authority.certificate().1);
    let (code, said) = serve();
    assert!(code == Some(2) && said.contains("do not go together"), "{said}");
    let (code, said) = check();
    assert!(code == Some(2) && said.contains("do not go together") && said.contains("tls = {"), "{said}");
    files.write("server.key", &key);
    assert_eq!(check().0, Some(0));
    files.write("server.crt", &key);
    let (code, said) = serve();
    assert!(code == Some(2) && said.contains("holds no certificate") && !said.contains(&key[40..100]), "{said}");
    // A broker's authorities stop no server: the input says that it is down.
    let manifest =
        format!("{ORDERS}\n[[input.amqp]]\nurl = \"amqps://localhost\"\nqueue = \"q\"\nca_file = \"ca.crt\"\n");
    let manifest = files.write("amqp.toml", &manifest);
    let output = run(&["check", &manifest], "");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.code() == Some(0) && said.contains("warning: failed to read") && said.contains("ca.crt"),
        "{said}"
    );
}
