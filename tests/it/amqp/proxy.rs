//! A connection that dies without being closed: bytes go through until the proxy is told to hold them.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Passes bytes on to a port of loopback.
pub(super) struct Proxy {
    pub(super) port: u16,
    holds: Arc<AtomicBool>,
}

impl Proxy {
    pub(super) fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let holds = Arc::new(AtomicBool::new(false));
        let held = Arc::clone(&holds);
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(("127.0.0.1", to)) else { continue };
                // One that comes while the line is dead gets no further either.
                for (from, to) in [(near.try_clone(), far.try_clone()), (far.try_clone(), near.try_clone())] {
                    let (from, to, held) = (from.unwrap(), to.unwrap(), Arc::clone(&held));
                    std::thread::spawn(move || pass(from, to, &held));
                }
            }
        });
        Self { port, holds }
    }

    /// From now on nothing goes through, and nobody is told.
    pub(super) fn hold(&self, holds: bool) {
        self.holds.store(holds, Ordering::SeqCst);
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, holds: &AtomicBool) {
    let mut chunk = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut chunk) {
        if holds.load(Ordering::SeqCst) {
            // What comes is swallowed for good: the line is dead.
            while let Ok(1..) = from.read(&mut chunk) {}
            return;
        }
        if to.write_all(&chunk[..read]).is_err() {
            break;
        }
    }
    drop(to.shutdown(std::net::Shutdown::Both));
}
