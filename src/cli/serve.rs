//! `roomcast serve`: settings, log, ports, workers; then signals until the end.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use crate::app::{App, Running, StartError};
use crate::config::{self, Effective, Loaded, Sources, keys};
use crate::lifecycle::notify;
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

    let drain_timeout = loaded.config.lifecycle.drain_timeout;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    runtime.block_on(async {
        let mut signals = Signals::listen().context("cannot listen to signals")?;
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
        let status = format!("{}, up to {sessions_max} sessions", places(&running));
        notify::ready(&status);
        reload_until_stopped(&running, &mut signals, &status).await;
        Ok(drain(running, signals, drain_timeout).await)
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

/// Where publishers and subscribers are served, for the service manager's status line.
fn places(running: &Running) -> String {
    let addresses = running.addresses();
    format!("producer port {}, consumer port {}", addresses.producer.port(), addresses.consumer.port())
}

async fn reload_until_stopped(running: &Running, signals: &mut Signals, status: &str) {
    while signals.next().await == Wish::Reload {
        notify::reloading();
        match running.reload_certificates() {
            Ok(()) => {
                tracing::info!("certificates read again");
                notify::ready(status);
            }
            Err(error) => {
                let error = anyhow::Error::from(error);
                tracing::error!("the certificates in use stay: {error:#}");
                notify::ready(
                    &format!("{status}; the certificates in use stay: {error:#}").replace(char::is_control, " "),
                );
            }
        }
    }
}

async fn drain(running: Running, signals: Signals, drain_timeout: Duration) -> u8 {
    tracing::info!("stopping: no new connections; a second signal ends at once");
    notify::stopping(drain_timeout, &format!("draining {} sessions", running.stats().sessions.get()));
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
