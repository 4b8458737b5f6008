//! The server: routes, workers, limits.

use std::future::ready;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::{HttpService, Protocol, Request};
use actix_server::{GracefulShutdownSignal, Server, ServerHandle};
use actix_service::{Service, ServiceFactory, apply_fn_factory, fn_factory, into_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::guard;
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::rt::net::TcpStream;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App, HttpRequest, Route};

use super::connection::{Connection, Progress};
use super::entrance::{Entrance, Stream, TURNED_AWAY_MAX};
use super::events::{self, Worker};
use super::problem::Problem;
use super::recorder::Recorder;
use super::state::State;
use super::tls::Certificate;
use super::{api, badge, front, health, live, login, openapi, pages};

/// The path's label in the metrics where no route takes the request.
const OTHER: &str = "other";
/// How long an idle connection is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Files that the server itself has open, and some to spare.
const OWN_FILES: usize = 64;
/// Connections that wait to be accepted.
const BACKLOG: i32 = 4096;
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
    /// Binds to the address; with a certificate it is reached by TLS. Must be called where a tokio runtime runs.
    pub fn bind(state: &Arc<State>, listen: SocketAddr, certificate: Option<&Arc<Certificate>>) -> io::Result<Self> {
        let workers = std::thread::available_parallelism().map_or(1, usize::from).min(WORKERS_MAX);
        let tls = certificate.map(|certificate| certificate.acceptor().map_err(io::Error::other)).transpose()?;
        let listener = TcpListener::bind(listen)?;
        // As many as the system lets wait: the standard library's own number is lower.
        rustix::net::listen(&listener, BACKLOG)?;
        let address = listener.local_addr()?;
        state.live.start();
        let limit = connections(state.limits.connections);
        let mut builder = Server::build().workers(workers).worker_max_blocking_threads(2).disable_signals();
        builder = builder.max_concurrent_connections((limit + TURNED_AWAY_MAX) / workers).shutdown_timeout(STOP_TIME_S);
        let (stopping, open, state) = (builder.graceful_shutdown_signal(), Arc::default(), Arc::clone(state));
        let server = builder.listen("http", listener, move || {
            let (state, stopping) = (Arc::clone(&state), stopping.clone());
            let entrance = Entrance::new(Arc::clone(&state), tls.clone(), Arc::clone(&open), limit);
            let http = Rc::new(http(&state, stopping));
            let entrance = Rc::new(entrance);
            fn_factory(move || {
                let (http, entrance) = (Rc::clone(&http), Rc::clone(&entrance));
                async move {
                    let http = Rc::new(http.new_service(()).await?);
                    Ok::<_, ()>(into_service(move |connection: TcpStream| {
                        let (http, entrance) = (Rc::clone(&http), Rc::clone(&entrance));
                        async move {
                            let serve = |connection, peer| http.call((connection, Protocol::Http1, peer));
                            entrance.enter(connection, serve).await;
                            Ok::<_, ()>(())
                        }
                    }))
                }
            })
        })?;
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

/// HTTP/1.1 over connections that were let in.
fn http(
    state: &Arc<State>,
    stopping: GracefulShutdownSignal,
) -> impl ServiceFactory<(Connection<Stream>, Protocol, Option<SocketAddr>), Config = (), InitError = ()> + use<> {
    let other = web::route().to(pages::not_found).wrap(Recorder::new(state, OTHER));
    let app = App::new().configure(|config| routes(config, state)).default_service(other);
    // What it says of our address is not asked for.
    let app = map_config(app, |()| AppConfig::default());
    let state = Rc::new(Arc::clone(state));
    let app = apply_fn_factory(app, move |request: Request, app: &_| {
        let progress = request.conn_data::<Progress>().cloned();
        if let Some(progress) = &progress {
            progress.begin();
        }
        front::answer(progress, Rc::clone(&state), Service::call(app, request))
    });
    HttpService::build()
        .keep_alive(KEEP_ALIVE)
        // A connection times its heads itself.
        .client_request_timeout(Duration::ZERO)
        .client_disconnect_timeout(Duration::from_secs(1))
        .graceful_shutdown_signal(move || {
            let stopping = stopping.clone();
            async move { stopping.notified().await }
        })
        .on_connect_ext(|connection: &Connection<Stream>, data| {
            data.insert(connection.progress());
        })
        .finish(app)
}

/// Connections at once: as many as wanted and as we may have files open, less those that we need ourselves.
fn connections(wanted: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // The soft limit is low for programs that cannot do with more.
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let files = if raised.is_ok() { maximum } else { current };
    let files = files.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX));
    files.saturating_sub(OWN_FILES + TURNED_AWAY_MAX).clamp(WORKERS_MAX, wanted.max(WORKERS_MAX))
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
    let mut get = |path, route| serve(config, state, path, "GET, HEAD", [route]);
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
    let log_in = [reading().to(login::form), web::post().to(login::submit)];
    serve(config, state, login::ROUTE, "GET, HEAD, POST", log_in);
    serve(config, state, login::LOGOUT_ROUTE, "POST", [web::post().to(login::logout)]);
}

/// GET, and HEAD, which is a GET without the body.
fn reading() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// A route whose requests are recorded, and which says what it takes where the method is wrong.
fn serve<const N: usize>(
    config: &mut ServiceConfig,
    state: &Arc<State>,
    path: &'static str,
    allow: &'static str,
    routes: [Route; N],
) {
    let refuse = move |request: HttpRequest| ready(method_not_allowed(request.method(), allow));
    let resource = routes.into_iter().fold(web::resource(path), actix_web::Resource::route);
    let resource = resource.default_service(web::route().to(refuse));
    config.service(resource.wrap(Recorder::new(state, path)));
}

fn method_not_allowed(method: &Method, allow: &'static str) -> Result<&'static str, Problem> {
    let detail = format!("{method} is not for this address; it takes {allow}");
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail);
    Err(problem.with(header::ALLOW, HeaderValue::from_static(allow)))
}
