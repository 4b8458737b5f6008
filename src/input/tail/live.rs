//! An input of log files: a thread reads, and this task hands over what it has read.

use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tracing::{info, warn};

use super::folders::Folders;
use super::hints::{Bell, Hints};
use super::reader::{Parcel, Reader};
use super::tally::Tally;
use crate::clock::SECOND_US;
use crate::graph::InputState;
use crate::input::pace::Lane;
use crate::input::rules::LogSettings;
use crate::input::said::{HOUR_US, MINUTE_US, Said};
use crate::metrics::Metrics;
use crate::pipeline::{Harvest, News, Port, Refused};

/// How much the thread may be ahead: while one parcel is made durable, the next is read.
const PARCELS_MAX: usize = 2;
/// Where lines wait for longer than this to be taken, the input is behind: well before the default `grace` is over.
const LATE: Duration = Duration::from_millis(500);
/// How far behind an input is, is told this often at most.
const LAG_EVERY_US: u64 = SECOND_US;

/// What was told last.
struct Told {
    news: News,
    at_us: u64,
    /// How often we had not run until then.
    gaps: u64,
}

/// What was said of what is wrong.
struct Wrong {
    /// To the pages.
    told: Said,
    /// In the log.
    logged: Said,
}

/// Takes events from log files.
pub struct LogInput {
    settings: LogSettings,
    port: Port,
    lane: Lane,
    metrics: Arc<Metrics>,
    told: Option<Told>,
    wrong: Wrong,
    hinted: bool,
}

impl LogInput {
    /// An input that waits to be run.
    pub fn new(settings: LogSettings, port: Port, lane: Lane, metrics: Arc<Metrics>) -> Self {
        let wrong = Wrong { told: Said::every(MINUTE_US), logged: Said::every(HOUR_US) };
        Self { settings, port, lane, metrics, told: None, wrong, hinted: true }
    }

    /// Without hints from the operating system: everything is found by looking.
    #[must_use]
    pub fn unhinted(mut self) -> Self {
        self.hinted = false;
        self
    }

    /// Takes events until `stop` turns true. Panics where the thread that reads does.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let (parcels, mut received) = mpsc::channel(PARCELS_MAX);
        let bell = Arc::new(Bell::default());
        let thread = match self.start(parcels, &bell) {
            Ok(thread) => thread,
            Err(error) => {
                warn!(subsystem = "input.log", input = self.port.name(), error, "the input cannot be read");
                self.tell(News { state: InputState::Down, lag_us: None, error: Some(error) }, 0)
                    .await
                    .unwrap_or_default();
                // Nobody but us is there to say so.
                drop(stop.wait_for(|&stop| stop).await);
                return;
            }
        };
        // Where nothing is taken any more there is nothing left to do: whoever started us knows why.
        self.carry(&mut received, &bell, &mut stop).await.unwrap_or_default();
        bell.stop();
        drop(received);
        if let Ok(Err(panicked)) = tokio::task::spawn_blocking(move || thread.join()).await {
            resume_unwind(panicked);
        }
    }

    fn start(&self, parcels: mpsc::Sender<Parcel>, bell: &Arc<Bell>) -> Result<thread::JoinHandle<()>, String> {
        let folders = Folders::new(&self.settings.path).map_err(|error| error.to_string())?;
        let (hints, error) = if self.hinted { Hints::start(bell) } else { (Hints::none(), None) };
        let now_us = self.port.now_us();
        let reader = Reader {
            settings: self.settings.clone(),
            port: self.port.clone(),
            tally: Tally::new(&self.metrics, self.port.name()),
            bell: Arc::clone(bell),
            hints,
            parcels,
            started_us: now_us,
            refused_us: None,
            flushed_us: 0,
            gaps: self.port.gaps(),
            compressed_told: false,
        };
        if let Some(error) = error {
            reader.no_hints(&error);
        }
        let positions = self.port.positions();
        let positions: Vec<_> = positions.into_iter().filter_map(|kept| Some((kept.key, kept.value?))).collect();
        let thread = thread::Builder::new().name(format!("log {}", self.port.name()));
        let thread = thread.spawn(move || reader.run(folders, &positions));
        thread.map_err(|error| format!("failed to start a thread: {error}"))
    }

    /// Hands over what is read until it is time to stop. What was handed over is waited for.
    async fn carry(
        &mut self,
        received: &mut mpsc::Receiver<Parcel>,
        bell: &Bell,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), Refused> {
        self.lane.begin();
        let mut gaps = self.port.gaps();
        loop {
            let parcel = tokio::select! {
                biased;
                _ = stop.wait_for(|&stop| stop) => return Ok(()),
                Ok(()) = gaps.changed() => {
                    // What has come meanwhile is to be read, and that it has been is to be said.
                    bell.ring();
                    continue;
                }
                parcel = received.recv() => parcel,
            };
            let Some(Parcel { harvest, first_us, news, gaps }) = parcel else { return Ok(()) };
            if let Some(harvest) = harvest {
                let behind = self.told.as_ref().is_none_or(|told| told.news.state == InputState::CatchingUp);
                if let (true, Some(first_us)) = (behind, first_us) {
                    tokio::select! {
                        _ = stop.wait_for(|&stop| stop) => return Ok(()),
                        () = self.lane.reach(first_us) => {}
                    }
                }
                self.push(harvest, gaps).await?;
            }
            self.tell(news, gaps).await?;
        }
    }

    async fn push(&mut self, harvest: Harvest, gaps: u64) -> Result<(), Refused> {
        let events = harvest.reports.len() + harvest.unknown.len();
        let port = self.port.clone();
        let mut push = pin!(port.push(harvest));
        let gone = match timeout(LATE, &mut push).await {
            Ok(gone) => gone?,
            Err(_late) => {
                // What is wrong with the files, if anything is, still is.
                self.tell_news(News { state: InputState::CatchingUp, lag_us: None, error: None }, gaps, false).await?;
                push.await?
            }
        };
        let taken = self.metrics.counted.events_total.with_label_values(&[port.name()]);
        taken.inc_by((events - gone) as u64);
        Ok(())
    }

    /// Tells how the input is, where that is news. `gaps`: how often we had not run when that was found out.
    async fn tell(&mut self, news: News, gaps: u64) -> Result<(), Refused> {
        // That all had been read is worth nothing where we have not run since.
        if news.state == InputState::Up && gaps != *self.port.gaps().borrow() {
            return Ok(());
        }
        let wrong = self.wrong_is_news(&news);
        self.tell_news(news, gaps, wrong).await
    }

    /// Tells it where the state is another, `wrong` is news, or the lag is to be told.
    async fn tell_news(&mut self, news: News, gaps: u64, wrong: bool) -> Result<(), Refused> {
        let now_us = self.port.now_us();
        let was = self.told.as_ref().map(|told| told.news.state);
        let known = self.told.as_ref().is_some_and(|told| {
            let lag = told.news.lag_us != news.lag_us && now_us > told.at_us + LAG_EVERY_US;
            told.news.state == news.state && told.gaps == gaps && !wrong && !lag
        });
        if known {
            return Ok(());
        }
        if was != Some(news.state) {
            self.changed(&news);
        }
        self.told = Some(Told { news: news.clone(), at_us: now_us, gaps });
        self.port.tell(news, gaps).await
    }

    /// Whether the pages are to be told what is wrong; the log is told here, unless it is why the input goes down, which is
    /// logged as that.
    fn wrong_is_news(&mut self, news: &News) -> bool {
        let Wrong { told, logged } = &mut self.wrong;
        let Some(error) = &news.error else {
            told.mended();
            logged.mended();
            return false;
        };
        let now_us = self.port.now_us();
        let was_down = self.told.as_ref().is_some_and(|told| told.news.state == InputState::Down);
        let goes_down = news.state == InputState::Down && !was_down;
        if logged.is_news(error, now_us) && !goes_down {
            warn!(subsystem = "input.log", input = self.port.name(), error, "something is wrong with the input");
        }
        told.is_news(error, now_us)
    }

    /// The state is another.
    fn changed(&mut self, news: &News) {
        let input = self.port.name();
        match (news.state, &news.error) {
            (InputState::Down, error) => warn!(subsystem = "input.log", input, error, "the input is down"),
            (state, _) => info!(subsystem = "input.log", input, state = state.name(), "the input reads"),
        }
        if news.state == InputState::CatchingUp {
            self.lane.begin();
        } else {
            self.lane.leave();
        }
    }
}
