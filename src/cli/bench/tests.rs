//! Whole runs against a gateway that can be told to misbehave, and the command's options.

mod relay;

use std::time::Duration;

use clap::Parser;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::conductor::{Conductor, Limits};
use super::report::Report;
use super::{Args, prepare};
use crate::cli::client::testing::Gateway;
use relay::{Fate, Relay};

#[derive(Debug, Parser)]
struct Command {
    #[command(flatten)]
    args: Args,
}

fn parse(args: &[&str]) -> Result<Args, clap::Error> {
    Command::try_parse_from([&["bench"], args].concat()).map(|command| command.args)
}

/// Runs the load against a relay that treats the n-th publish as `fate` says.
async fn run(options: &[&str], fate: fn(u64) -> Fate) -> serde_json::Value {
    run_against(&Relay::start(fate).await, options).await
}

async fn run_against(relay: &Relay, options: &[&str]) -> serde_json::Value {
    let (producer, consumer) = (format!("http://{}", relay.producer), format!("http://{}", relay.consumer));
    let ports = ["--producer", &producer, "--consumer", &consumer];
    let limits = Limits { connect: Duration::from_secs(30), settle: Duration::ZERO, drain: Duration::from_millis(500) };
    let args = parse(&[&ports[..], options].concat()).unwrap();
    let threads = args.threads;
    let run = prepare(args).await.unwrap();
    let pids = vec![std::process::id()];
    let report = Conductor::new(run, pids).unwrap().conduct(threads, limits).await.unwrap();
    let value = serde_json::to_value(&report).unwrap();
    assert_eq!(serde_json::from_value::<Report>(value.clone()).unwrap(), report);
    value
}

#[tokio::test]
async fn a_good_gateway_passes_on_schedule() {
    let options = ["--subscribers", "6", "--rooms", "2", "--publishers", "2", "--rate", "100", "--duration", "0.2"];
    let report = run(&[&options[..], &["--threads", "2"]].concat(), |_| Fate::Deliver).await;
    assert_eq!(report["pass"], true, "{report}");
    let publish = |name: &str| report["publish"][name].as_u64().unwrap();
    assert_eq!((publish("accepted") + publish("unsent"), publish("failed")), (20, 0), "{report}");
    assert_eq!(report["delivery"]["expected"], publish("accepted") * 3, "{report}");
    assert_eq!(report["delivery"]["received"], report["delivery"]["expected"], "{report}");
    let latency = &report["delivery"]["latency_ms"];
    let percentiles = ["p50", "p90", "p99", "p999", "max"].map(|name| latency[name].as_f64().unwrap());
    assert!(percentiles.is_sorted() && percentiles[0] > 0.0, "{latency}");
    assert!(report["server"]["rss_peak_kib"].as_u64().unwrap() > 0, "{report}");
}

#[tokio::test]
async fn a_closed_loop_publishes_as_fast_as_the_answers_come() {
    let report = run(&["--subscribers", "3", "--duration", "0.1"], |_| Fate::Deliver).await;
    assert_eq!(report["pass"], true, "{report}");
    assert_eq!(report["publish"]["accepted"], report["delivery"]["received"], "{report}");
    assert!(report["publish"]["accepted"].as_u64().unwrap() > 4, "{report}");
}

#[tokio::test]
async fn each_fault_is_counted_as_what_it_is() {
    let options = ["--subscribers", "1", "--publishers", "1", "--rate", "100", "--duration", "0.5"];
    let duplicated = run(&options, |n| if n == 3 { Fate::Duplicate } else { Fate::Deliver }).await;
    assert_eq!(
        (&duplicated["delivery"]["duplicated"], &duplicated["pass"]),
        (&1.into(), &false.into()),
        "{duplicated}"
    );
    let reordered = run(&options, |n| if n == 3 { Fate::Delay } else { Fate::Deliver }).await;
    assert_eq!((&reordered["delivery"]["reordered"], &reordered["pass"]), (&1.into(), &false.into()), "{reordered}");
    assert_eq!(reordered["delivery"]["lost"], 0, "{reordered}");
}

#[tokio::test]
async fn a_loss_fails_the_run_and_a_refused_publish_does_not() {
    let options = ["--subscribers", "2", "--rooms", "1", "--publishers", "1", "--rate", "100", "--duration", "0.5"];
    let refused = run(&options, |n| if n == 3 { Fate::Refuse } else { Fate::Deliver }).await;
    assert_eq!((&refused["publish"]["failed"], &refused["pass"]), (&1.into(), &true.into()), "{refused}");
    assert_eq!(refused["publish"]["failures"]["the gateway answered 503 Service Unavailable"], 1, "{refused}");
    let lost = run(&options, |n| if n == 3 { Fate::Lose } else { Fate::Deliver }).await;
    assert_eq!((&lost["delivery"]["lost"], &lost["pass"]), (&2.into(), &false.into()), "{lost}");
}

#[tokio::test]
async fn publishers_connect_when_all_subscribers_have() {
    let relay = Relay::start(|_| Fate::Deliver).await;
    let options = ["--subscribers", "3", "--connect-rate", "20", "--publishers", "2", "--duration", "0.1"];
    let report = run_against(&relay, &options).await;
    assert_eq!(report["pass"], true, "{report}");
    // The first only asks whether the port answers.
    assert_eq!(*relay.members_at_connect.lock().unwrap(), [0, 3, 3]);
}

#[tokio::test]
async fn a_refusal_ends_the_connects_at_once_with_its_cause() {
    let gateway = Gateway::bind().await;
    let producer = Gateway::bind().await;
    let (at, to) = (format!("http://{}", gateway.addr()), format!("http://{}", producer.addr()));
    let args = parse(&["--producer", &to, "--consumer", &at, "--subscribers", "1"]).unwrap();
    let server = async {
        drop(gateway.accept().await);
        let mut peer = gateway.accept().await;
        assert!(peer.read(&mut [0; 4096]).await.unwrap() > 0);
        peer.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    };
    let limits = Limits { connect: Duration::from_secs(3600), settle: Duration::ZERO, drain: Duration::ZERO };
    let client = async {
        let run = prepare(args).await.unwrap();
        Conductor::new(run, Vec::new()).unwrap().conduct(1, limits).await.unwrap()
    };
    let (report, ()) = tokio::join!(client, server);
    assert!(!report.pass);
    let table = report.to_string();
    assert!(table.contains("1  the gateway answered 404 Not Found; is this the consumer port?"), "{table}");
}

#[tokio::test]
async fn where_nothing_is_heard_the_verdict_asks_for_the_token() {
    let options = ["--subscribers", "2", "--publishers", "1", "--rate", "50", "--duration", "0.1"];
    let hint = "no event arrived: may this token join the rooms?";
    let deaf = run(&options, |_| Fate::Lose).await;
    let table = serde_json::from_value::<Report>(deaf).unwrap().to_string();
    assert!(table.contains(hint) && table.contains("verdict     FAIL"), "{table}");
    let heard = run(&options, |n| if n == 1 { Fate::Lose } else { Fate::Deliver }).await;
    let table = serde_json::from_value::<Report>(heard).unwrap().to_string();
    assert!(!table.contains(hint), "{table}");
}

#[tokio::test]
async fn without_a_duration_it_only_connects() {
    let report = run(&["--subscribers", "5", "--duration", "0"], |_| Fate::Deliver).await;
    assert_eq!((&report["connect"]["connected"], &report["pass"]), (&5.into(), &true.into()), "{report}");
    assert_eq!((&report["publish"]["sent"], &report["delivery"]["latency_ms"]), (&0.into(), &().into()), "{report}");
}

#[tokio::test]
async fn a_port_that_does_not_answer_is_named() {
    let args = parse(&["--producer", "http://127.0.0.1:1", "--consumer", "http://127.0.0.1:1"]).unwrap();
    let Err(error) = prepare(args).await else { panic!("prepared") };
    assert!(format!("{error:#}").starts_with("producer port: cannot connect to 127.0.0.1"), "{error:#}");
}

#[test]
fn options_out_of_range_are_refused() {
    for args in [
        ["--subscribers", "0"],
        ["--publishers", "0"],
        ["--rate", "-1"],
        ["--rate", "NaN"],
        ["--duration", "inf"],
        ["--sources", "0"],
        ["--threads", "0"],
        ["--transport", "webtransport"],
        ["--producer", "localhost"],
    ] {
        assert!(parse(&args).is_err(), "{args:?}");
    }
    assert_eq!(parse(&["--pid", "1,2"]).unwrap().pid, [1, 2]);
}
