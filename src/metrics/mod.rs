//! The server's metrics, as Prometheus reads them.
//!
//! What is counted as it happens is a field of [`Counted`]; what the board and the pipeline know
//! already is read from them at each scrape, into `Read`. Nothing is kept twice.

mod family;
mod merge;
mod read;
mod table;

pub use table::Counted;

use std::sync::{Arc, Mutex, PoisonError};

use prometheus::{Registry, TextEncoder};

use crate::pipeline::Pipeline;

/// The content type of the text format.
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// Everything that is exported.
pub struct Metrics {
    /// What is counted as it happens.
    pub counted: Counted,
    registry: Registry,
    /// What single threads count, each for itself.
    of_threads: Mutex<Vec<Registry>>,
}

impl Metrics {
    /// Metrics of a server that runs this pipeline.
    pub fn new(pipeline: Pipeline) -> prometheus::Result<Arc<Self>> {
        let registry = Registry::new();
        let counted = Counted::register(&registry)?;
        counted.build_info.with_label_values(&[env!("CARGO_PKG_VERSION"), revision()]).set(1);
        for result in ["ok", "bad"] {
            counted.manifest_reloads_total.with_label_values(&[result]).inc_by(0);
        }
        registry.register(Box::new(read::Reader::new(pipeline)))?;
        #[cfg(target_os = "linux")]
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        Ok(Arc::new(Self { counted, registry, of_threads: Mutex::default() }))
    }

    /// The same counters for one thread, which has no other wait for the memory that it counts in. They are exported as
    /// part of the whole.
    pub fn of_thread(&self) -> prometheus::Result<Counted> {
        let registry = Registry::new();
        let counted = Counted::register(&registry)?;
        self.of_threads.lock().unwrap_or_else(PoisonError::into_inner).push(registry);
        Ok(counted)
    }

    /// All metrics in the text format.
    pub fn render(&self) -> prometheus::Result<String> {
        let mut families = self.registry.gather();
        for registry in self.of_threads.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            merge::merge(&mut families, registry.gather());
        }
        TextEncoder::new().encode_to_string(&families)
    }
}

/// The revision that this binary was built from, where the build said it.
pub fn revision() -> &'static str {
    option_env!("OBSERVATORY_REVISION").unwrap_or("unknown")
}
