//! The log as a whole, in a process of its own, because a process has one log.

use std::process::{Command, Stdio};

use serde_json::Value;
use tracing::level_filters::LevelFilter;

use super::*;

/// Set in the process that logs.
const CHILD: &str = "ROOMCAST_TEST_LOG_CHILD";

#[test]
fn the_log_is_set_up_once_and_written_out_at_the_end() {
    if std::env::var_os(CHILD).is_some() {
        return log_in_this_process();
    }
    let (_crate, module) = module_path!().split_once("::").unwrap();
    let test = format!("{module}::the_log_is_set_up_once_and_written_out_at_the_end");
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &test, "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(child.status.success(), "{child:?}");
    let output = String::from_utf8(child.stdout).unwrap();
    // The harness writes the test's name without a line feed, so the first line of the log stands behind it.
    let lines = output.lines().filter_map(|line| line.find('{').and_then(|start| line.get(start..)));
    let lines: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 101, "{output}");
    assert_eq!((&lines[0]["level"], &lines[0]["n"]), (&Value::from("info"), &Value::from(0)));
    assert_eq!(lines[100]["message"], "the log is set up already");
    for line in &lines {
        assert!(line["pid"].is_u64() && line["timestamp"].as_str() >= line["serverStarted"].as_str(), "{line}");
    }
}

fn log_in_this_process() {
    let config = LogConfig { level: LevelFilter::INFO, format: LogFormat::Json };
    let guard = init(config, Arc::default()).unwrap();
    for n in 0..100 {
        tracing::info!(n, "line");
        tracing::debug!("not heard");
    }
    let again = init(config, Arc::default()).unwrap_err();
    assert!(matches!(again, InitError::AlreadySet(_)));
    tracing::warn!("{again}");
    drop(guard);
}
