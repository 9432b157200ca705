//! The report as a table for people.

use std::collections::BTreeMap;
use std::fmt;

use indicatif::HumanCount;

use super::{Latency, Report};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.headline(f)?;
        self.flow(f)?;
        self.latencies(f)?;
        self.costs(f)?;
        causes(f, "publish failures", &self.publish.failures)?;
        causes(f, "failed connects and ended sessions", &self.delivery.disconnects)?;
        self.advice(f)?;
        let cut_short = if self.interrupted { ", cut short" } else { "" };
        writeln!(f, "\nverdict     {}{cut_short}", if self.pass { "pass" } else { "FAIL" })
    }
}

impl Report {
    fn headline(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = &self.options;
        let count = |number: u32| HumanCount(number.into());
        let (subscribers, rooms, publishers) = (options.subscribers, options.rooms, options.publishers);
        writeln!(f, "run         {}, {} s, {} bytes", self.run, options.duration_s, options.payload_bytes)?;
        writeln!(f, "consumer    subscribers {}, rooms {}, {}", count(subscribers), count(rooms), options.transport)?;
        match options.rate {
            0.0 => writeln!(f, "producer    publishers {}, closed loop\n", count(publishers)),
            rate => writeln!(f, "producer    publishers {}, {rate}/s\n", count(publishers)),
        }
    }

    fn flow(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (connect, publish, delivery) = (&self.connect, &self.publish, &self.delivery);
        let (connected, all) = (HumanCount(connect.connected), HumanCount(self.options.subscribers.into()));
        writeln!(f, "connect     {connected} of {all} in {:.2} s ({:.0}/s)", connect.duration_s, connect.rate)?;
        let (sent, accepted) = (HumanCount(publish.sent), HumanCount(publish.accepted));
        write!(f, "publish     {sent} sent, {accepted} accepted ({:.0}/s), ", publish.rate)?;
        writeln!(f, "{} failed, {} unsent", HumanCount(publish.failed), HumanCount(publish.unsent))?;
        let (expected, received) = (HumanCount(delivery.expected), HumanCount(delivery.received));
        writeln!(f, "delivery    {expected} expected, {received} received ({:.0}/s)", delivery.rate)?;
        let (lost, duplicated) = (HumanCount(delivery.lost), HumanCount(delivery.duplicated));
        write!(f, "faults      {lost} lost, {duplicated} duplicated, {} reordered, ", HumanCount(delivery.reordered))?;
        writeln!(f, "{} foreign, {} reconnects", HumanCount(delivery.foreign), HumanCount(delivery.reconnects))
    }

    fn latencies(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{:12}{:>10}{:>10}{:>10}{:>10}{:>10}", "ms", "p50", "p90", "p99", "p99.9", "max")?;
        row(f, "delivery", self.delivery.latency_ms)?;
        row(f, "answer", self.publish.answer_ms)
    }

    fn costs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        if let Some(server) = &self.server {
            write!(f, "server      {:.2} s of CPU", server.cpu_s)?;
            for (cost, unit) in [
                (server.cpu_us_per_delivery, "µs a delivery"),
                (server.cpu_us_per_publish, "µs a publish"),
                (server.cpu_ms_per_connect, "ms a connect"),
            ] {
                if let Some(cost) = cost {
                    write!(f, ", {cost:.2} {unit}")?;
                }
            }
            let [before, connected, peak] = [server.rss_before_kib, server.rss_connected_kib, server.rss_peak_kib]
                .map(|kib| format!("{:.1}", kib as f64 / 1024.0));
            write!(f, "\nmemory      {before} MiB before, {connected} MiB connected, {peak} MiB at most")?;
            if let Some(each) = server.rss_kib_per_connection {
                write!(f, ", {each:.1} KiB a connection")?;
            }
            writeln!(f)?;
        }
        let generator = &self.generator;
        writeln!(f, "generator   {:.2} s of CPU, {:.2} cores", generator.cpu_s, generator.cores)
    }

    /// What to change when a gateway's limits stood in the way, or its answers hid why nothing was heard.
    fn advice(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limited = self.delivery.disconnects.keys().any(|cause| cause.contains("429"));
        if limited && !self.pass {
            writeln!(f, "\nThe gateway limits new sessions: load it with RATE_LIMIT=0 or RATE_LIMIT_EXEMPT.")?;
        }
        if self.delivery.expected > 0 && self.delivery.received == 0 {
            writeln!(f, "\nno event arrived: may this token join the rooms?")?;
        }
        Ok(())
    }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, latency: Option<Latency>) -> fmt::Result {
    write!(f, "{name:12}")?;
    match latency {
        Some(Latency { p50, p90, p99, p999, max }) => {
            writeln!(f, "{p50:>10.3}{p90:>10.3}{p99:>10.3}{p999:>10.3}{max:>10.3}")
        }
        None => writeln!(f, "{:>10}{:>10}{:>10}{:>10}{:>10}", "-", "-", "-", "-", "-"),
    }
}

fn causes(f: &mut fmt::Formatter<'_>, title: &str, causes: &BTreeMap<String, u64>) -> fmt::Result {
    if causes.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{title}")?;
    causes.iter().try_for_each(|(cause, count)| writeln!(f, "{:>10}  {cause}", HumanCount(*count).to_string()))
}
