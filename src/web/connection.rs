//! One connection: whoever takes too long to say what he wants loses it.
//!
//! actix times the head of a connection's first request, but not those of later ones, and answers what is no
//! HTTP with an empty body. So the bytes go through here on their way: from the first byte of a head until a
//! handler is called a timer runs, and an answer that no handler has given is put into our own words.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::problem::{Problem, raw};

/// Where a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Between two requests.
    Idle,
    /// A head is expected, or has begun to come.
    Head,
    /// A handler has it.
    Handled,
}

/// What a connection and the requests on it tell one another.
#[derive(Clone, Debug)]
pub(super) struct Progress(Rc<Cell<Phase>>);

impl Progress {
    /// A handler has the request.
    pub(super) fn begin(&self) {
        self.0.set(Phase::Handled);
    }

    /// It has answered.
    pub(super) fn end(&self) {
        if self.0.get() == Phase::Handled {
            self.0.set(Phase::Idle);
        }
    }
}

/// A connection.
pub(super) struct Connection<T> {
    io: T,
    progress: Progress,
    head_time: Duration,
    /// When the head at hand must have come.
    deadline: Instant,
    /// Fires by then, maybe earlier: it is only set anew where it has fired.
    timer: Pin<Box<Sleep>>,
    /// Whether anything of the first head has come.
    begun: bool,
    /// Whether an answer was on its way out while a head was awaited: then the client is not slow, we are.
    busy: bool,
    /// An answer of ours that stands for one that no handler has given, and how much of it is written.
    own: Option<(Vec<u8>, usize)>,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Connection<T> {
    /// A connection whose heads must come within this time.
    pub(super) fn new(io: T, head_time: Duration) -> Self {
        let progress = Progress(Rc::new(Cell::new(Phase::Head)));
        let timer = Box::pin(sleep(head_time));
        Self { io, progress, head_time, deadline: timer.deadline(), timer, begun: false, busy: false, own: None }
    }

    /// What its requests tell it.
    pub(super) fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// A head begins.
    fn arm(&mut self) {
        self.busy = false;
        // A deadline beyond all times cannot be meant.
        let now = Instant::now();
        self.deadline = now.checked_add(self.head_time).unwrap_or(now);
    }

    /// Nothing more is read of a client that was too slow; it is told so, where it has begun to say something.
    fn poll_head(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        ready!(self.timer.as_mut().poll(context));
        if self.busy {
            self.arm();
        }
        if Instant::now() < self.deadline {
            self.timer.as_mut().reset(self.deadline);
            ready!(self.timer.as_mut().poll(context));
        }
        if self.begun {
            let problem = Problem::new(StatusCode::REQUEST_TIMEOUT, "the head of the request did not come in time");
            let answer = raw(&problem);
            // A client that has said so little has room for it; and if not, it is closed all the same.
            drop(Pin::new(&mut self.io).poll_write(context, &answer));
            drop(Pin::new(&mut self.io).poll_flush(context));
        }
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }

    /// Writes what stands for an answer that no handler has given; `length` is that of what it stands for.
    fn poll_own(&mut self, context: &mut Context<'_>, length: usize) -> Poll<io::Result<usize>> {
        while let Some((answer, written)) = &mut self.own {
            match ready!(Pin::new(&mut self.io).poll_write(context, &answer[*written..]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                more => *written += more,
            }
            if *written == answer.len() {
                self.own = None;
            }
        }
        Poll::Ready(Ok(length))
    }
}

/// The status of an answer of actix's own: an error without a body.
fn own_status(bytes: &[u8]) -> Option<StatusCode> {
    let status = bytes.strip_prefix(b"HTTP/1.1 ").or_else(|| bytes.strip_prefix(b"HTTP/1.0 "))?.get(..3)?;
    StatusCode::from_bytes(status).ok().filter(StatusCode::is_client_error)
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Connection<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        let some = buffer.filled().len() > before;
        match self.progress.0.get() {
            Phase::Idle if some => {
                self.progress.0.set(Phase::Head);
                self.begun = true;
                self.arm();
            }
            Phase::Head => {
                self.begun |= some;
                if read.is_pending() {
                    return self.poll_head(context).map(Err);
                }
            }
            Phase::Idle | Phase::Handled => {}
        }
        read
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Connection<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.busy = true;
        if self.progress.0.get() == Phase::Head
            && self.own.is_none()
            && let Some(status) = own_status(bytes)
        {
            let detail = match status {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => "the request's head is too large",
                _ => "this is not the head of an HTTP/1.1 request",
            };
            self.own = Some((raw(&Problem::new(status, detail)), 0));
        }
        if self.own.is_some() {
            return self.poll_own(context, bytes.len());
        }
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    const HEAD_TIME: Duration = Duration::from_millis(200);
    /// In which a timer that runs would fire.
    const LONGER: Duration = Duration::from_millis(400);

    fn on_a_runtime<F: Future>(test: impl FnOnce() -> F) -> F::Output {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(test())
    }

    async fn text(io: &mut (impl AsyncRead + Unpin)) -> String {
        let mut bytes = Vec::new();
        io.read_to_end(&mut bytes).await.unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_head_has_its_time_first_and_later() {
        on_a_runtime(|| async {
            let (mut client, server) = duplex(4096);
            let mut connection = Connection::new(server, HEAD_TIME);
            let (progress, mut buffer) = (connection.progress(), [0; 64]);
            client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
            assert!(connection.read(&mut buffer).await.unwrap() > 0);
            progress.begin();
            // While it is handled, and between two requests, no timer runs.
            let idle = tokio::time::timeout(LONGER, connection.read(&mut buffer)).await;
            assert!(idle.is_err());
            connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            progress.end();
            assert!(tokio::time::timeout(LONGER, connection.read(&mut buffer)).await.is_err());
            let begun = Instant::now();
            client.write_all(b"GET / HT").await.unwrap();
            assert!(connection.read(&mut buffer).await.unwrap() > 0);
            let drip = tokio::spawn(async move {
                while client.write_all(b"x").await.is_ok() {
                    tokio::time::sleep(HEAD_TIME / 8).await;
                }
                client
            });
            let error = loop {
                match connection.read(&mut buffer).await {
                    Ok(_) => {}
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            assert!(begun.elapsed() >= HEAD_TIME, "given up too soon");
            drop(connection);
            let answer = text(&mut drip.await.unwrap()).await;
            assert!(answer.contains("HTTP/1.1 408 ") && answer.contains("application/problem+json"), "{answer}");
        });
    }

    #[test]
    fn who_says_nothing_is_told_nothing() {
        on_a_runtime(|| async {
            let (mut client, server) = duplex(4096);
            let mut connection = Connection::new(server, HEAD_TIME);
            let error = connection.read(&mut [0; 64]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            drop(connection);
            assert_eq!(text(&mut client).await, "");
        });
    }

    #[test]
    fn an_answer_that_no_handler_gave_is_put_into_our_words() {
        on_a_runtime(|| async {
            // Room for a few bytes at a time.
            let (mut client, server) = duplex(7);
            let mut connection = Connection::new(server, HEAD_TIME);
            let answered = tokio::spawn(async move { text(&mut client).await });
            connection.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            connection.progress().begin();
            connection.write_all(b"HTTP/1.1 404 of a handler").await.unwrap();
            drop(connection);
            let answer = answered.await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
            assert!(answer.contains("\"status\":400") && answer.ends_with("HTTP/1.1 404 of a handler"), "{answer}");
        });
    }
}
