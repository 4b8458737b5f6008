//! What work costs on a machine that others use, too: the time that we had the CPU.

/// The CPU time of the calling thread so far, in seconds; a few milliseconds old at most.
pub(crate) fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells it there");
    let on_cpu_ns = stat.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).expect("a number");
    on_cpu_ns / 1e9
}

/// Events a second of CPU time of a piece of work; none where it failed.
pub(crate) fn rate(events: usize, work: impl FnOnce() -> bool) -> Option<f64> {
    let started_s = cpu_s();
    let good = work();
    good.then(|| events as f64 / (cpu_s() - started_s))
}

/// The best and the median.
pub(crate) fn summary(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    (values[values.len() - 1], values[values.len() / 2])
}
