//! Families that several registries export, made one.

use prometheus::proto::{Bucket, Counter, Histogram, Metric, MetricFamily, MetricType};

/// Adds the samples of `more` to those of the same name and labels.
pub(super) fn merge(families: &mut Vec<MetricFamily>, more: Vec<MetricFamily>) {
    for mut family in more {
        let Some(known) = families.iter_mut().find(|known| known.name() == family.name()) else {
            families.push(family);
            continue;
        };
        let (kind, samples) = (known.get_field_type(), known.mut_metric());
        for sample in family.take_metric() {
            match samples.iter_mut().find(|known| known.get_label() == sample.get_label()) {
                Some(known) => add(kind, known, &sample),
                None => samples.push(sample),
            }
        }
    }
}

/// Adds one sample to another.
fn add(kind: MetricType, to: &mut Metric, more: &Metric) {
    match kind {
        MetricType::COUNTER => {
            let mut sum = Counter::default();
            sum.set_value(to.get_counter().get_value() + more.get_counter().get_value());
            to.set_counter(sum);
        }
        MetricType::HISTOGRAM => {
            let sum = both(to.get_histogram(), more.get_histogram());
            to.set_histogram(sum);
        }
        // What is no count is told in one place alone.
        _ => {}
    }
}

/// Two histograms with the same bounds, as one.
fn both(one: &Histogram, other: &Histogram) -> Histogram {
    let bucket = |(one, other): (&Bucket, &Bucket)| {
        let mut sum = Bucket::default();
        sum.set_upper_bound(one.upper_bound());
        sum.set_cumulative_count(one.cumulative_count() + other.cumulative_count());
        sum
    };
    let mut sum = Histogram::default();
    sum.set_bucket(one.get_bucket().iter().zip(other.get_bucket()).map(bucket).collect());
    sum.set_sample_count(one.get_sample_count() + other.get_sample_count());
    sum.set_sample_sum(one.get_sample_sum() + other.get_sample_sum());
    sum
}

#[cfg(test)]
mod tests {
    use prometheus::{Registry, TextEncoder};

    use super::*;
    use crate::metrics::Counted;

    #[test]
    fn what_two_workers_count_is_counted_once_each() {
        let registries = [Registry::new(), Registry::new(), Registry::new()];
        for (at, registry) in registries.iter().enumerate() {
            let counted = Counted::register(registry).unwrap();
            counted.events_total.with_label_values(&["http"]).inc_by(at as u64);
            counted.events_total.with_label_values(&[["a", "b", "b"][at]]).inc();
            counted.http_request_duration_seconds.with_label_values(&["/events"]).observe(at as f64);
        }
        let mut families = Vec::new();
        for registry in &registries {
            merge(&mut families, registry.gather());
        }
        let text = TextEncoder::new().encode_to_string(&families).unwrap();
        for line in [
            "observatory_events_total{input=\"http\"} 3",
            "observatory_events_total{input=\"a\"} 1",
            "observatory_events_total{input=\"b\"} 2",
            "observatory_http_request_duration_seconds_bucket{path=\"/events\",le=\"1\"} 2",
            "observatory_http_request_duration_seconds_bucket{path=\"/events\",le=\"+Inf\"} 3",
            "observatory_http_request_duration_seconds_sum{path=\"/events\"} 3",
            "observatory_http_request_duration_seconds_count{path=\"/events\"} 3",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} in {text}");
        }
    }
}
