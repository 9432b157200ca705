//! `roomcast healthcheck`, as a container runs it: in the gateway's own environment.

use crate::harness::process::{Process, Shell, as_texts, free_port, tls};

#[tokio::test]
async fn the_admin_listener_is_asked_first() {
    let (mut process, ports) = Process::serving(&[]).await;
    let admin = ports.admin.to_string();
    let shell = Shell::new(&[("ADMIN_ADDR", &admin)]);
    assert_eq!(shell.run(&["healthcheck"]).await.ok(), format!("healthy: {admin}/livez answered 200\n"));
    let url = format!("http://{}/status", ports.producer);
    assert_eq!(
        shell.run(&["healthcheck", "--url", &url]).await.ok(),
        format!("healthy: {}/status answered 200\n", ports.producer)
    );
    let nothing = format!("http://{}/nothing", ports.producer);
    let finished = shell.run(&["healthcheck", "--url", &nothing]).await;
    assert!(finished.code == 1 && finished.out.starts_with("unhealthy: the gateway answered 404"), "{finished:?}");
    process.stop().await;
    // What listens there by now, if anything, is not asked for: no other test's gateway speaks for this one.
    let finished = Shell::new(&[("ADMIN_ADDR", "")]).run(&["healthcheck", "--url", "http://127.0.0.1:1/"]).await;
    assert!(finished.code == 1 && finished.out.starts_with("unhealthy: cannot connect to 127.0.0.1:1"), "{finished:?}");
}

#[tokio::test]
async fn without_it_the_ports_are() {
    let shell = Shell::new(&[]);
    let certificates = tls(&shell.certificates("certs").await);
    for is_tls in [true, false] {
        let settings = if is_tls { as_texts(&certificates) } else { Vec::new() };
        let mut process = Process::start(&[settings.as_slice(), &[("ADMIN_ADDR", "")]].concat());
        let (producer, consumer) = (process.listening("producer").await, process.listening("consumer").await);
        let (producer, consumer) = (producer.port().to_string(), consumer.port().to_string());
        let environment = |producer: &str, consumer: &str| {
            Shell::new(&[
                ("ADMIN_ADDR", ""),
                ("HOST", "127.0.0.1"),
                ("TLS", if is_tls { "1" } else { "0" }),
                ("PRODUCER_PORT", producer),
                ("WEBSOCKET_PORT", consumer),
            ])
        };
        let out = environment(&producer, &consumer).run(&["healthcheck"]).await.ok();
        assert_eq!(out, format!("healthy: port {producer} and {consumer} answers\n"));
        let shell = Shell::new(&[("ADMIN_ADDR", ""), ("HOST", "127.0.0.1"), ("PRODUCER_PORT", "")]);
        let text =
            format!("HTTP_PORT={producer}\nSTANDALONE_PORT={consumer}\nCLUSTER_MODE=off\nTLS={}\n", u8::from(is_tls));
        let file = shell.write("settings", &text);
        assert_eq!(shell.run(&["healthcheck", "--env-file", &file]).await.ok(), out);
        shell.write(".env", &text);
        assert_eq!(shell.run(&["healthcheck"]).await.ok(), out);
        let finished = environment(&producer, &free_port().to_string()).run(&["healthcheck"]).await;
        assert!(finished.code == 1 && finished.out.starts_with("unhealthy: "), "{finished:?}");
        process.stop().await;
    }
}

#[tokio::test]
async fn ports_that_ask_for_a_client_certificate_answer_too() {
    let shell = Shell::new(&[]);
    let certificates = shell.certificates("certs").await;
    let authority = certificates.join("ca.pem").to_str().unwrap().to_owned();
    let tls = tls(&certificates);
    let verify = [("VERIFY_ORIGIN", "1"), ("CA_PATH", authority.as_str()), ("ADMIN_ADDR", "")];
    let mut process = Process::start(&[as_texts(&tls).as_slice(), &verify].concat());
    let (producer, consumer) = (process.listening("producer").await.port(), process.listening("consumer").await.port());
    let (producer, consumer) = (producer.to_string(), consumer.to_string());
    let ports = [("ADMIN_ADDR", ""), ("HTTP_PORT", producer.as_str()), ("WEBSOCKET_PORT", consumer.as_str())];
    let out = Shell::new(&ports).run(&["healthcheck"]).await.ok();
    assert_eq!(out, format!("healthy: port {producer} and {consumer} answers\n"));
    process.stop().await;
}

#[tokio::test]
async fn settings_that_cannot_be_read_are_told_in_one_line() {
    let shell = Shell::new(&[("HTTP_PORT", "x")]);
    let finished = shell.run(&["healthcheck"]).await;
    assert!(finished.code == 1 && finished.out.starts_with("unhealthy: HTTP_PORT: \"x\" is no port"), "{finished:?}");
    let finished = shell.run(&["healthcheck", "--env-file", "missing"]).await;
    assert!(finished.code == 1 && finished.out.starts_with("unhealthy: missing: cannot read"), "{finished:?}");
    assert_eq!((finished.out.lines().count(), finished.err.as_str()), (1, ""));
}
