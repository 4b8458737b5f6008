//! The server: routes, workers, limits.

use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::guard;
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App, HttpRequest, HttpServer, Route};

use super::events::{self, Worker};
use super::problem::Problem;
use super::recorder::Recorder;
use super::state::State;
use super::{api, badge, health, live, openapi, pages};

/// The path's label in the metrics where no route takes the request.
const OTHER: &str = "other";
/// How long a request's head may take to come, and an idle connection to send one.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// How long an idle connection is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How long a client may leave what it has been sent, or the kernel's word of it, unread.
const UNREAD_TIME: Duration = Duration::from_mins(1);
/// Connections at once, over all workers.
const CONNECTIONS_MAX: usize = 20_000;
/// Files that the server itself has open, and some to spare.
const OWN_FILES: usize = 64;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 4096;
/// What is still being answered when the server stops has this long, in seconds.
const STOP_TIME_S: u64 = 2;
/// More workers than this help nobody: the owner is one thread.
const WORKERS_MAX: usize = 4;

/// A server that is bound to its address, and does not answer yet.
pub struct Bound {
    /// The address, with the real port.
    pub address: SocketAddr,
    server: Server,
}

impl Bound {
    /// Binds to the address. Must be called where a tokio runtime runs.
    pub fn bind(state: &Arc<State>, listen: SocketAddr) -> io::Result<Self> {
        let workers = std::thread::available_parallelism().map_or(1, usize::from).min(WORKERS_MAX);
        let shared = Arc::clone(state);
        state.live.start();
        let server = HttpServer::new(move || {
            let shared = Arc::clone(&shared);
            let other = web::route().to(pages::not_found).wrap(Recorder::new(&shared, OTHER));
            App::new().configure(|config| routes(config, &shared)).default_service(other)
        })
        .workers(workers)
        .max_connections(connections() / workers)
        .client_request_timeout(HEAD_TIME)
        .client_disconnect_timeout(Duration::from_secs(1))
        .keep_alive(KEEP_ALIVE)
        .tcp_nodelay(true)
        .on_connect(|connection, _| give_up_who_stops_reading(connection))
        .worker_max_blocking_threads(2)
        .shutdown_timeout(STOP_TIME_S)
        .disable_signals()
        .backlog(BACKLOG)
        .bind(listen)?;
        let address = server.addrs().first().copied().unwrap_or(listen);
        Ok(Self { address, server: server.run() })
    }

    /// Stops the server from elsewhere.
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Answers until it is stopped.
    pub async fn run(self) -> io::Result<()> {
        self.server.await
    }
}

/// Who takes nothing of an answer for [`UNREAD_TIME`] loses the connection, and with it the memory and
/// the place that it holds: a live stream has no end that could be waited for.
fn give_up_who_stops_reading(connection: &dyn std::any::Any) {
    if let Some(stream) = connection.downcast_ref::<actix_web::rt::net::TcpStream>() {
        let limit_ms = u32::try_from(UNREAD_TIME.as_millis()).unwrap_or(u32::MAX);
        if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(stream, limit_ms) {
            tracing::debug!(subsystem = "server", %error, "failed to limit how long a connection may be stuck");
        }
    }
}

/// Connections at once: as many files as we may have open, less those that we need ourselves.
fn connections() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // The soft limit is low for programs that cannot do with more.
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let files = if raised.is_ok() { maximum } else { current };
    files
        .map_or(CONNECTIONS_MAX, |files| usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(OWN_FILES))
        .clamp(WORKERS_MAX, CONNECTIONS_MAX)
}

/// Everything that is routed; called once in each worker.
fn routes(config: &mut ServiceConfig, state: &Arc<State>) {
    config.app_data(Data::new(Arc::clone(state)));
    if state.http_enabled {
        let worker = Rc::new(Worker::new(state));
        let post = web::post().to(move |request, payload| events::post(request, payload, Rc::clone(&worker)));
        let refuse = move |request: HttpRequest| ready(method_not_allowed(request.method(), "POST"));
        let refuse = web::route().to(refuse).wrap(Recorder::new(state, events::ROUTE));
        config.service(web::resource(events::ROUTE).route(post).default_service(refuse));
    }
    let mut get = |path, route| serve(config, state, path, "GET, HEAD", route);
    get("/", reading().to(pages::overview));
    get("/static/{file}", reading().to(pages::asset));
    get("/streams/{stream}", reading().to(pages::stream));
    get("/streams/{stream}/graph.svg", reading().to(pages::svg));
    get("/streams/{stream}/graph.dot", reading().to(pages::dot));
    get("/badge/{stream}.svg", reading().to(badge::stream));
    get("/badge/{stream}/{from}/{to}.svg", reading().to(badge::edge));
    get("/api/v1/streams", reading().to(api::streams));
    get("/api/v1/streams/{stream}", reading().to(api::stream));
    get("/api/v1/streams/{stream}/live", reading().to(live::events));
    get("/api/v1/streams/{stream}/edges/{from}/{to}", reading().to(api::edge));
    get("/api/openapi.json", reading().to(openapi::openapi));
    get("/metrics", reading().to(health::metrics));
    get("/health/live", reading().to(health::live));
    get("/health/ready", reading().to(health::ready));
    get("/status", reading().to(health::status));
}

/// GET, and HEAD, which is a GET without the body.
fn reading() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// A route whose requests are recorded, and which says what it takes where the method is wrong.
fn serve(config: &mut ServiceConfig, state: &Arc<State>, path: &'static str, allow: &'static str, route: Route) {
    let refuse = move |request: HttpRequest| ready(method_not_allowed(request.method(), allow));
    let resource = web::resource(path).route(route).default_service(web::route().to(refuse));
    config.service(resource.wrap(Recorder::new(state, path)));
}

fn method_not_allowed(method: &Method, allow: &'static str) -> Result<&'static str, Problem> {
    let detail = format!("{method} is not for this address; it takes {allow}");
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail);
    Err(problem.with(header::ALLOW, HeaderValue::from_static(allow)))
}
