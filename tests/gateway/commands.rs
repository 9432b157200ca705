//! Every command as a user types it: what it prints, where, and its exit code.

mod bench;
mod cert;
mod check;
mod dev;
mod healthcheck;
mod publish;
mod tail;
mod token;

use crate::harness::process::Shell;

const COMMANDS: [&str; 9] = ["serve", "dev", "check", "cert", "token", "publish", "tail", "bench", "healthcheck"];

#[tokio::test]
async fn help_names_every_command_and_each_has_its_own() {
    let shell = Shell::new(&[]);
    let overview = shell.run(&["--help"]).await.ok();
    for command in COMMANDS {
        let start = format!("\n  {command} ");
        assert!(overview.contains(&start), "no {command}: {overview}");
        let help = shell.run(&[command, "--help"]).await.ok();
        assert!(help.contains(&format!("Usage: roomcast {command}")), "{help}");
        assert_eq!(shell.run(&["help", command]).await.ok(), help, "{command}");
    }
    assert!(shell.run(&["token", "make", "--help"]).await.ok().contains("--secret-file"));
    assert_eq!(shell.run(&["--version"]).await.ok(), format!("roomcast {}\n", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn what_cannot_be_understood_is_a_fault_of_usage() {
    let shell = Shell::new(&[]);
    for (arguments, named) in [
        (&["nope"][..], "nope"),
        (&["--no-such-flag"], "--no-such-flag"),
        (&["serve", "stray"], "stray"),
        (&["publish"], "--target"),
        (&["publish", "--target", "a", "--url", "localhost:2053"], "https://"),
        (&["tail"], "--user"),
        (&["tail", "--user", "a", "--count", "0"], "--count"),
        (&["tail", "--user", "a", "--url", "ftp://x"], "https://"),
        (&["token"], "make"),
        (&["token", "make", "--date", "21.11.2026"], "YYYY-MM-DD"),
        (&["cert", "--host", "no host"], "host name"),
        (&["cert", "--days", "0"], "--days"),
        (&["bench", "--subscribers", "0"], "--subscribers"),
        (&["dev", "--http-port", "x"], "--http-port"),
    ] {
        let finished = shell.run(arguments).await;
        assert_eq!(finished.out, "", "{arguments:?}");
        let told = finished.fault(64);
        assert!(told.contains(named), "{arguments:?}: {told}");
    }
    assert_eq!(std::fs::read_dir(shell.folder.path()).unwrap().count(), 0, "nothing was made");
}
