//! The entrance: every connection comes through here, by TLS or not, and only so many at once.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

use super::connection::Connection;
use super::problem::{Problem, raw};
use super::state::State;

/// Connections beyond the limit that are told so at once; those beyond that wait to be accepted.
pub(super) const TURNED_AWAY_MAX: usize = 256;
/// How long it may take to tell somebody that there is no room.
const TURN_AWAY_TIME: Duration = Duration::from_secs(1);
/// What is read of a request that is turned away.
const TURN_AWAY_BYTES: usize = 16 * 1024;

/// A connection's bytes, by TLS or as they are.
pub(super) type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// Lets connections in.
pub(super) struct Entrance {
    state: Arc<State>,
    tls: Option<TlsAcceptor>,
    /// The connections that are open now, over all workers.
    open: Arc<AtomicUsize>,
    /// The most of them.
    limit: usize,
}

/// A place for one connection, given back when dropped.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Entrance {
    pub(super) fn new(state: Arc<State>, tls: Option<TlsAcceptor>, open: Arc<AtomicUsize>, limit: usize) -> Self {
        Self { state, tls, open, limit }
    }

    /// Lets a connection in, and hands it on; or tells it that there is no room.
    pub(super) async fn enter<F: Future>(
        self: Rc<Self>,
        connection: TcpStream,
        serve: impl FnOnce(Connection<Stream>, Option<SocketAddr>) -> F,
    ) {
        let before = self.open.fetch_add(1, Ordering::AcqRel);
        let place = Place(Arc::clone(&self.open));
        self.state.metrics.counted.connections.with_label_values::<&str>(&[]).inc();
        self.prepare(&connection);
        let peer = connection.peer_addr().ok();
        let head_time = self.state.limits.head_time;
        // Who does not shake hands in time has not said what he wants, either.
        if let Ok(Ok(stream)) = timeout(head_time, self.greet(connection)).await {
            if before < self.limit {
                serve(Connection::new(stream, head_time), peer).await;
            } else {
                self.state.metrics.counted.connections_refused_total.with_label_values::<&str>(&[]).inc();
                // It ends anyway.
                drop(timeout(TURN_AWAY_TIME, turn_away(stream)).await);
            }
        }
        self.state.metrics.counted.connections.with_label_values::<&str>(&[]).dec();
        drop(place);
    }

    async fn greet(&self, connection: TcpStream) -> io::Result<Stream> {
        match &self.tls {
            None => Ok(Either::Left(connection)),
            Some(tls) => Ok(Either::Right(Box::new(tls.accept(connection).await?))),
        }
    }

    /// Small answers go at once. Who takes nothing of an answer for a while loses the connection, and with it
    /// the memory and the place that it holds: a live stream has no end that could be waited for.
    fn prepare(&self, connection: &TcpStream) {
        let limit_ms = u32::try_from(self.state.limits.unread_time.as_millis()).unwrap_or(u32::MAX);
        let set = connection
            .set_nodelay(true)
            .and_then(|()| rustix::net::sockopt::set_tcp_user_timeout(connection, limit_ms).map_err(io::Error::from));
        if let Err(error) = set {
            tracing::debug!(subsystem = "server", %error, "failed to limit how long a connection may be stuck");
        }
    }
}

/// Reads a request's head, says 503, and waits until the other side has read it.
async fn turn_away(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let mut head = Vec::with_capacity(1024);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < TURN_AWAY_BYTES {
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let problem = Problem::try_later("as many connections are open as the server allows; try again later");
    stream.write_all(&raw(&problem)).await?;
    stream.shutdown().await?;
    // What is left unread when a connection is closed takes the answer with it.
    let mut rest = [0; 4096];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}
