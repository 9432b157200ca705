//! `roomcast bench`: a small load, of which nothing may be lost, and its report as JSON.

use serde_json::Value;

use crate::harness::SECRET;
use crate::harness::process::{Process, Shell, as_texts, tls};

#[tokio::test]
async fn a_small_load_over_tls_loses_nothing() {
    let shell = Shell::new(&[("THE_SECRET", SECRET)]);
    let certificates = tls(&shell.certificates("certs").await);
    let settings = [as_texts(&certificates), vec![("CLUSTER_MODE", "1"), ("CLUSTER_INSTANCES", "2")]].concat();
    let (mut process, ports) = Process::serving(&settings).await;
    let producer = format!("https://localhost:{}", ports.producer.port());
    let consumer = format!("https://localhost:{}", ports.consumer.port());
    let (ca, pid) = (shell.path_text("certs/ca.pem"), process.pid().to_string());
    let options = [
        "bench",
        "--producer",
        &producer,
        "--consumer",
        &consumer,
        "--cacert",
        &ca,
        "--secret-env",
        "THE_SECRET",
        "--subscribers",
        "20",
        "--rooms",
        "5",
        "--publishers",
        "2",
        "--rate",
        "100",
        "--duration",
        "0.5",
        "--settle",
        "0",
        "--pid",
        &pid,
        "--json",
        "-",
    ];
    let report: Value = serde_json::from_str(&shell.run(&options).await.ok()).unwrap();
    assert_eq!(report["pass"], true, "{report:#}");
    assert_eq!(report["connect"]["connected"], 20);
    let (publish, delivery) = (&report["publish"], &report["delivery"]);
    assert!(publish["accepted"].as_u64().unwrap() > 0 && publish["failed"] == 0, "{report:#}");
    // Twenty subscribers in five rooms: each publish is for four.
    assert_eq!(delivery["expected"].as_u64().unwrap(), 4 * publish["accepted"].as_u64().unwrap());
    assert_eq!(delivery["received"], delivery["expected"]);
    for fault in ["lost", "duplicated", "reordered"] {
        assert_eq!(delivery[fault], 0, "{report:#}");
    }
    assert!(delivery["latency_ms"]["p99"].as_f64().unwrap() > 0.0, "{report:#}");
    assert!(report["server"]["rss_end_kib"].as_u64().unwrap() > 0, "{report:#}");
    process.stop().await;
}

#[tokio::test]
async fn subscribers_that_are_refused_are_a_fault() {
    let (mut process, ports) = Process::serving(&[]).await;
    let (producer, consumer) = (format!("http://{}", ports.producer), format!("http://{}", ports.consumer));
    let shell = Shell::new(&[]);
    let file = shell.path_text("report.json");
    let options = [
        "bench",
        "--producer",
        &producer,
        "--consumer",
        &consumer,
        "--token",
        "wrong",
        "--subscribers",
        "3",
        "--connect-timeout",
        "2",
        "--duration",
        "0.2",
        "--settle",
        "0",
        "--json",
        &file,
    ];
    let finished = shell.run(&options).await;
    assert_eq!(finished.code, 1, "{finished:?}");
    let report: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(report["pass"], false, "{report:#}");
    assert!(!finished.out.is_empty(), "the table stands beside the file");
    let told =
        shell.run(&["bench", "--producer", &producer, "--consumer", &producer, "--connect-timeout", "600"]).await;
    assert!(told.code == 1 && told.out.contains("404 Not Found; is this the consumer port?"), "{told:?}");
    process.stop().await;
    let told = shell.run(&["bench", "--producer", "http://127.0.0.1:1", "--consumer", &consumer]).await.fault(1);
    assert!(told.contains("producer port") && told.contains("127.0.0.1:1"), "{told}");
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_ends_it_before_any_load() {
    let shell = Shell::new(&[]);
    let certificates = tls(&shell.certificates("certs").await);
    shell.certificates("others").await;
    let (mut process, ports) = Process::serving(&as_texts(&certificates)).await;
    let producer = format!("https://localhost:{}", ports.producer.port());
    let consumer = format!("https://localhost:{}", ports.consumer.port());
    let ca = shell.path_text("others/ca.pem");
    let options = ["bench", "--producer", &producer, "--consumer", &consumer, "--cacert", &ca];
    let told = shell.run(&options).await.fault(1);
    assert!(told.contains("producer port: TLS with localhost failed") && told.contains("--cacert"), "{told}");
    process.stop().await;
}
