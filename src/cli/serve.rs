//! `roomcast serve`: settings, log, ports, workers; then signals until the end.

use std::sync::Arc;

use anyhow::Context;

use crate::app::{App, Running, StartError};
use crate::config::{self, Effective, Loaded, Sources, keys};
use crate::lifecycle::signals::{Signals, Wish};
use crate::ops::logs;
use crate::types::{Clock, Stats};

use super::open_files::raise_open_files;
use super::{EXIT_FAULT, EXIT_FORCED, EXIT_OK, EXIT_USAGE};

/// Settings that decide who hears what, and that deployments of vrchats often lack: what counts instead is told.
const TOLD_IF_UNSET: [&str; 2] = ["WEBSOCKET_AUTH", "EVENT_ID_REGEX_VALIDATION_PATTERN"];

/// What `dev` adds to a gateway.
pub(super) struct Extras {
    /// The demo page's routes.
    pub(super) demo: axum::Router,
    /// Printed once both ports listen.
    pub(super) banner: String,
}

/// Runs the gateway until a signal ends it.
pub(super) fn run(sources: &Sources, extras: Option<Extras>) -> u8 {
    let loaded = match config::load(sources) {
        Ok(loaded) => loaded,
        Err(faults) => {
            eprintln!("{faults}");
            for warning in &faults.warnings {
                eprintln!("warning: {warning}");
            }
            return EXIT_USAGE;
        }
    };
    let stats = Arc::new(Stats::default());
    // Dropped last: it writes what is still queued.
    let _log = match logs::init(loaded.config.log, Arc::clone(&stats)) {
        Ok(guard) => guard,
        Err(error) => {
            eprintln!("roomcast: {error}");
            return EXIT_FAULT;
        }
    };
    match start_and_serve(loaded, stats, extras) {
        Ok(code) => code,
        Err(error) => {
            tracing::error!("cannot start: {error:#}");
            match error.downcast_ref() {
                // As for any other setting: another try would not mend it.
                Some(StartError::Tls(_)) => EXIT_USAGE,
                Some(StartError::Bind { .. } | StartError::Worker(_)) | None => EXIT_FAULT,
            }
        }
    }
}

fn start_and_serve(loaded: Loaded, stats: Arc<Stats>, extras: Option<Extras>) -> anyhow::Result<u8> {
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    tell_unset(&loaded.values);
    let open_files = raise_open_files();
    let workers = loaded.config.cluster.workers;
    let sessions_max = loaded.config.admission.sessions_max;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), open_files, workers, sessions_max, "starting");

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    runtime.block_on(async {
        let signals = Signals::listen().context("cannot listen to signals")?;
        let mut app = App::bind(loaded.config, stats)?;
        let banner = extras.map(|extras| {
            app.serve_demo(extras.demo);
            extras.banner
        });
        let running = app.run(Clock::system())?;
        announce(&running);
        if let Some(banner) = banner {
            println!("{banner}");
        }
        Ok(until_the_end(running, signals).await)
    })
}

fn tell_unset(settings: &[Effective]) {
    let unset = |setting: &&Effective| TOLD_IF_UNSET.contains(&setting.key) && setting.source == "default";
    for Effective { key, value, .. } in settings.iter().filter(unset) {
        let default = keys().iter().find(|known| known.name == *key).map_or("", |known| known.default_text());
        let counts = if value.is_empty() { default } else { value };
        tracing::info!("{key} is not set: {counts}");
    }
}

/// vrchats' lines, which deployments wait for.
fn announce(running: &Running) {
    let addresses = running.addresses();
    tracing::info!(port = "producer", "Listening...{}", addresses.producer.port());
    tracing::info!(port = "consumer", "Listening...{}", addresses.consumer.port());
    if let Some(admin) = addresses.admin {
        tracing::info!(port = "admin", "Listening...{}", admin.port());
    }
}

async fn until_the_end(running: Running, mut signals: Signals) -> u8 {
    while signals.next().await == Wish::Reload {
        match running.reload_certificates() {
            Ok(()) => tracing::info!("certificates read again"),
            Err(error) => tracing::error!("the certificates in use stay: {:#}", anyhow::Error::from(error)),
        }
    }
    tracing::info!("stopping: no new connections; a second signal ends at once");
    let drained = tokio::select! {
        drained = running.drain() => drained.clean,
        () = second_stop(signals) => false,
    };
    if drained {
        tracing::info!("stopped");
        EXIT_OK
    } else {
        tracing::error!("ended before every connection was closed");
        EXIT_FORCED
    }
}

async fn second_stop(mut signals: Signals) {
    while signals.next().await != Wish::Stop {}
}
