//! What was measured, round by round: kept for the table, and written down as lines of JSON.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::scenario::Figures;
use super::server::Kind;

/// One scenario with one server in one round.
pub struct Sample {
    /// The scenario.
    pub scenario: &'static str,
    /// The server.
    pub kind: Kind,
    /// The round, from 0.
    pub round: usize,
    /// What was measured, or why nothing could be.
    pub outcome: anyhow::Result<Figures>,
}

impl Sample {
    /// What went wrong.
    pub fn fault(&self) -> Option<String> {
        match &self.outcome {
            Err(fault) => Some(format!("{fault:#}")),
            Ok(figures) if figures.lost > 0 => Some(format!("{} events were lost without a word", figures.lost)),
            Ok(_) => None,
        }
    }

    /// A figure; none when there is none.
    pub fn figure(&self, name: &str) -> Option<f64> {
        self.outcome.as_ref().ok()?.values.get(name).copied()
    }
}

/// A file of a run's samples.
pub struct Record {
    file: File,
    /// Where it is.
    pub path: PathBuf,
}

impl Record {
    /// Makes the file, named after the time.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let path = folder.join(format!("{}.jsonl", chrono::Utc::now().format("%Y%m%dT%H%M%SZ")));
        Ok(Self { file: File::create(&path)?, path })
    }

    /// Appends a sample.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, sample: &Sample, is_quick: bool) -> anyhow::Result<()> {
        let line = json!({
            "scenario": sample.scenario,
            "server": sample.kind.name(),
            "round": sample.round,
            "quick": is_quick,
            "fault": sample.fault(),
            "figures": sample.outcome.as_ref().ok().map(|figures| &figures.values),
        });
        Ok(writeln!(self.file, "{line}")?)
    }
}
