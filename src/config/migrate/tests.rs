//! The files that deployments of vrchats have, and any other: the same meaning, nothing lost, and nothing left to warn of.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;

use super::*;
use crate::config::{Config, Faults, Warning, load};
use crate::types::Secret;

const FIXTURES: [(&str, &str); 8] = [
    ("v0.1", include_str!("../../../tests/gateway/migration/fixtures/v0.1.env")),
    ("v0.2.0", include_str!("../../../tests/gateway/migration/fixtures/v0.2.0-v0.2.4.env")),
    ("v0.2.5", include_str!("../../../tests/gateway/migration/fixtures/v0.2.5-v0.3.env")),
    ("v0.4", include_str!("../../../tests/gateway/migration/fixtures/v0.4.env")),
    ("v0.5", include_str!("../../../tests/gateway/migration/fixtures/v0.5.env")),
    ("v0.6", include_str!("../../../tests/gateway/migration/fixtures/v0.6-v0.7.env")),
    ("v0.8", include_str!("../../../tests/gateway/migration/fixtures/v0.8-v0.13.env")),
    ("pm2", include_str!("../../../tests/gateway/migration/fixtures/pm2.service")),
];

/// The settings of a file, with certificates that are there; those of a unit are in the environment.
fn loaded(text: &str) -> Result<(Config, Vec<Warning>), Faults> {
    let folder = tempfile::tempdir().unwrap();
    let env_file = folder.path().join("env");
    fs::write(&env_file, text).unwrap();
    let mut environment = BTreeMap::new();
    if text.contains("Environment=") {
        fs::write(&env_file, "").unwrap();
        for line in lines::read(text.as_bytes()) {
            let Line::Setting(old) = line else { continue };
            environment.insert(old.name, old.value);
        }
    }
    // Read at the start, not here.
    for key in ["PUB_KEY_PATH", "PRIV_KEY_PATH", "CA_PATH"] {
        environment.insert(key.to_owned(), "/dev/null".to_owned());
    }
    let machine = Machine { stdout_is_terminal: false, files_max: 65_536, cores: 4, memory_bytes: 8 << 30 };
    let sources =
        Sources { flags: BTreeMap::new(), environment, env_file: Some(env_file), default_env_file: None, machine };
    load(&sources).map(|loaded| (loaded.config, loaded.warnings))
}

/// A configuration as a text, with the secrets that `Debug` hides.
fn all_of(config: &Config) -> String {
    let token = config.admission.auth.token.as_ref();
    let secrets = [
        token.map(|token| token.secret.expose()),
        token.and_then(|token| token.previous.as_ref()).map(Secret::expose),
        config.ops.admin_token.as_ref().map(Secret::expose),
    ];
    format!("{secrets:?} {config:?}")
}

fn migrated(text: &str) -> Migrated {
    migrate("old.env", text.as_bytes())
}

/// What may still be said of a new file: what only its author can decide.
const AUTHORS: [&str; 7] = [
    "covers public addresses",
    "is shorter than 16 bytes",
    "is off: everybody",
    "is not set: no",
    "everybody on this machine may use \"/dev/null\"",
    "JWT_KEY: has no effect",
    "has no effect with LEGACY_QUIRKS=1",
];

/// Asserts that a new file means what the old one does, and is read alike by everybody, without a warning.
fn assert_same(old: &str) {
    let new = migrated(old).text;
    let file = env_file::parse(new.as_bytes());
    assert!(file.faults.is_empty() && file.warnings.is_empty(), "{:?} {:?}\n{new}", file.faults, file.warnings);
    assert!(file.entries.iter().all(|entry| entry.comment.is_none()), "{new}");
    match (loaded(old), loaded(&new)) {
        (Ok((old_config, _)), Ok((new_config, warnings))) => {
            assert_eq!(all_of(&old_config), all_of(&new_config), "{old}\n=>\n{new}");
            let told: Vec<_> = warnings.iter().map(ToString::to_string).collect();
            let others = told.iter().filter(|line| !AUTHORS.iter().any(|words| line.contains(words)));
            assert_eq!(others.count(), 0, "{told:#?}\n{new}");
        }
        (Err(old_faults), Err(new_faults)) => {
            let keys = |faults: Faults| faults.faults.into_iter().map(|fault| fault.key).collect::<Vec<_>>();
            assert_eq!(keys(old_faults), keys(new_faults), "{old}\n=>\n{new}");
        }
        (old_loaded, new_loaded) => {
            panic!("{:?}\n{:?}\n{old}\n=>\n{new}", old_loaded.err(), new_loaded.err());
        }
    }
}

#[test]
fn every_file_of_vrchats_keeps_its_meaning() {
    for (_, text) in FIXTURES {
        assert_same(text);
        assert_eq!(migrated(text).faults, [""; 0]);
    }
}

/// Docker takes everything behind the first `=`, and a shell reads the same.
#[test]
fn what_is_made_of_vrchats_files_reads_alike_everywhere() {
    for (version, text) in FIXTURES {
        let new = migrated(text).text;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("env");
        fs::write(&path, &new).unwrap();
        for entry in env_file::parse(new.as_bytes()).entries {
            let line = new.lines().nth(entry.line - 1).unwrap();
            assert_eq!(line, format!("{}={}", entry.name, entry.value), "{version}");
            assert_eq!(sourced(&path, &entry.name), entry.value, "{version}");
        }
    }
}

fn sourced(path: &Path, name: &str) -> String {
    let script = format!(". \"$1\"; printf %s \"${name}\"");
    let output = Command::new("sh").args(["-c", &script, "sh"]).arg(path).env_clear().output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// A file, what stands directly above the line that it became, and that line.
const CHANGES: &[(&str, &str, &str)] = &[
    ("PRODUCER_PORT=3000", "was PRODUCER_PORT", "HTTP_PORT=3000"),
    ("HTTP_PORT=\"3000\"", "", "HTTP_PORT=3000"),
    ("HTTP_PORT=3000 # ours", "ours", "HTTP_PORT=3000"),
    ("HTTP_PORT=", "empty: 2053 counts", "HTTP_PORT="),
    ("HTTP_PORT=0", "vrchats took 0 for 2053, here it is a free port", "HTTP_PORT=0"),
    ("HTTP_PORT=1\nHTTP_PORT=2", "the name stands again on line 2, and the last one counts", "# HTTP_PORT=1"),
    ("HTTP_PORT=1\nPRODUCER_PORT=2", "HTTP_PORT counts, on line 1", "# PRODUCER_PORT=2"),
    ("HTTP_PORT=\nPRODUCER_PORT=2", "PRODUCER_PORT counts, on line 2", "# HTTP_PORT="),
    ("NODE_ENV=production", "without effect here", "# NODE_ENV=production"),
    ("V8_EXPOSE_GC=1", "without effect here", "# V8_EXPOSE_GC=1"),
    ("BUS=redis://h", "without effect in this version", "# BUS=redis://h"),
    ("WEBSOKET_PORT=1", "is not a setting; did you mean WEBSOCKET_PORT?", "# WEBSOKET_PORT=1"),
    ("PORT=8443", "is not a setting; the ports are HTTP_PORT and WEBSOCKET_PORT", "# PORT=8443"),
    ("STANDALONE_PORT=1", "without effect: the ports are HTTP_PORT and WEBSOCKET_PORT", "# STANDALONE_PORT=1"),
    (
        "STANDALONE_PORT=1\nCLUSTER_MODE=0\nWEBSOCKET_PORT=",
        "was STANDALONE_PORT, for both sides; HTTP_PORT with the same number does that here",
        "WEBSOCKET_PORT=1",
    ),
    (
        "STANDALONE_PORT=9000\nCLUSTER_MODE=0\nLEGACY_PUBLISH=1\nHTTP_PORT=",
        "was STANDALONE_PORT, which is both ports with LEGACY_PUBLISH=1",
        "HTTP_PORT=9000",
    ),
    (
        "CONSUMER_PORT=1\nSTANDALONE_PORT=9000\nCLUSTER_MODE=0\nLEGACY_PUBLISH=1\nHTTP_PORT=8000",
        "without effect: STANDALONE_PORT is both ports, on line 2",
        "# CONSUMER_PORT=1",
    ),
    ("CLUSTER_MODE=0\nCLUSTER_INSTANCES=3", "without effect beside CLUSTER_MODE=0", "# CLUSTER_INSTANCES=3"),
    (
        "TRUST_ORIGIN_LIST=\"https://a.example, https://b.example,\"",
        "blanks and empty entries are cut; to vrchats an entry with a blank matched nothing",
        "TRUST_ORIGIN_LIST=https://a.example,https://b.example",
    ),
    ("ALLOWED_IPS=10.0.0.1/8", "was 10.0.0.1/8, which is the same", "TRUST_CIDR_LIST=10.0.0.0/8"),
    (
        "TRUST_CIDR_LIST=172.0.0.1/8",
        "`172.0.0.0/8` covers public addresses: all of 172.0.0.0/8 is trusted",
        "TRUST_CIDR_LIST=172.0.0.0/8",
    ),
    ("USE_PROXY=01", "was 01", "USE_PROXY=1"),
    ("ENABLE_DEBUG=true", "was ENABLE_DEBUG; debug is not meant for production", "LOG_LEVEL=debug"),
    ("ENABLE_DEBUG=1\nLOG_LEVEL=warn", "without effect beside LOG_LEVEL", "# ENABLE_DEBUG=1"),
    ("VERIFY_ORIGIN=true", "vrchats took true for 0, here it is 1; write the one that is meant", "VERIFY_ORIGIN=true"),
    (
        "USE_PROXY=1\nTRUST_PROXY=10.0.0.1",
        "one header counts, x-forwarded-for; vrchats preferred cf-connecting-ip, which PROXY_HEADER can name",
        "USE_PROXY=1",
    ),
    (
        "IO_TOKEN_RENEW_INTERVAL=3600000",
        "without effect here: the token depends on the date alone, and changes once a day",
        "# IO_TOKEN_RENEW_INTERVAL=3600000",
    ),
    (
        "IO_TOKEN_RENEW_START_HOUR=3",
        "the day changes at this hour of UTC, whenever the gateway was started",
        "WEBSOCKET_AUTH_TOKEN_RENEW_START_HOUR=3",
    ),
    (
        "EVENT_ID_REGEX_VALIDATION_PATTERN=\"^(a|b)\\$\"",
        "in quotes for a shell and systemd; Docker keeps quotes, so give it the file with a mount and --env-file",
        "EVENT_ID_REGEX_VALIDATION_PATTERN='^(a|b)$'",
    ),
    (
        "EVENT_ID_REGEX_VALIDATION_PATTERN=",
        "empty: 1 to 255 bytes, no control characters; vrchats took every id",
        "EVENT_ID_REGEX_VALIDATION_PATTERN=",
    ),
    (
        "AUTH_TOKEN_SECRET=a-secret-of-sixteen-bytes",
        "was not set. vrchats asked for a token always up to v0.7, and never without it from v0.8; here a secret turns it on",
        "WEBSOCKET_AUTH=token",
    ),
    (
        "WEBSOCKET_AUTH=",
        "was not set, and neither was a secret: everybody who names a room may listen",
        "WEBSOCKET_AUTH=0",
    ),
    ("Environment=\"PRODUCER_PORT=3000\" 'TLS=0'", "was PRODUCER_PORT", "HTTP_PORT=3000"),
    (
        "[Service]\nExecStart=/a b",
        "left out, as it sets no variable: [Service]",
        "# roomcast: left out, as it sets no variable: ExecStart=/a b",
    ),
    ("no setting", "cannot be read: no \"=\" in this line; write KEY=value, or begin a comment with #", "# no setting"),
];

#[test]
fn each_change_is_told_above_its_line() {
    for (old, above, line) in CHANGES {
        // vrchats took more texts for a number than are taken here.
        if *old != "USE_PROXY=01" && *old != "no setting" && !old.contains("[Service]") {
            assert_same(old);
        }
        let new = migrated(old).text;
        let lines: Vec<_> = new.lines().collect();
        let at = lines.iter().position(|found| found == line).unwrap_or_else(|| panic!("no {line}\n{new}"));
        let told = lines[at - 1].strip_prefix(OURS).or_else(|| lines[at - 1].strip_prefix("# ")).unwrap_or_default();
        assert_eq!(told, *above, "{new}");
    }
}

#[test]
fn what_cannot_be_used_is_told_with_the_line_of_the_old_file_and_kept() {
    let old = "# proxies\nALLOWED_IPS=\"10.0.0.0/8, 010.0.0.1\" # backends\nB\nHTTP_PORT=x\nAUTH_TOKEN_SECRET='never-closed\n";
    let Migrated { text, faults } = migrated(old);
    let starts = [
        "TRUST_CIDR_LIST (old.env:2): `010.0.0.1` is no address",
        "old.env:3: no \"=\"",
        "HTTP_PORT (old.env:4): \"x\" is no port",
        "old.env:5: a single quote (') that is not closed",
    ];
    assert_eq!(faults.len(), starts.len(), "{faults:#?}");
    for (fault, start) in faults.iter().zip(starts) {
        assert!(fault.starts_with(start), "{faults:#?}");
        assert!(!fault.contains("never-closed"), "{fault}");
    }
    for line in [
        "# backends",
        "# roomcast: vrchats read 010.0.0.1 as octal numbers; write the address that is meant, without zeros in front",
        "TRUST_CIDR_LIST=10.0.0.0/8,010.0.0.1",
        "# AUTH_TOKEN_SECRET='never-closed",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn a_file_that_a_unit_names_must_be_migrated_too_and_a_continued_line_is_one() {
    let old = "[Service]\nEnvironment=TLS=0 \\\n# ports\n  HTTP_PORT=3000 \\\n  WEBSOCKET_PORT=x\nEnvironmentFile=/etc/x.env\n";
    let Migrated { text, faults } = migrated(old);
    assert_eq!(faults.len(), 2, "{faults:#?}");
    assert!(faults[0].starts_with("WEBSOCKET_PORT (old.env:2): \"x\" is no port"), "{faults:#?}");
    assert_eq!(faults[1], "old.env:6: its variables are not here; migrate the file that it names too");
    for line in ["# ports", "TLS=0", "HTTP_PORT=3000", "WEBSOCKET_PORT=x", "# EnvironmentFile=/etc/x.env"] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn the_way_of_the_first_backends_is_told_of_to_those_who_have_them() {
    for (version, text) in FIXTURES {
        let is_told = migrated(text).text.contains("; LEGACY_PUBLISH=1 takes that\n");
        assert_eq!(is_told, ["v0.1", "v0.2.0", "v0.2.5", "v0.4", "pm2"].contains(&version), "{version}");
    }
}

#[test]
fn those_who_had_one_port_are_told_how_it_stays_one() {
    let old = "CLUSTER_MODE=0\nSTANDALONE_PORT=9443\nAUTH_TOKEN_SECRET=some-nasty-secret\n";
    let text = migrated(old).text;
    assert!(text.contains("HTTP_PORT=9443 beside it keeps it so"), "{text}");
    let ports =
        |text: String| loaded(&text).map(|(config, _)| (config.listen.producer_port, config.listen.consumer_port));
    let as_told = ports(format!("{text}LEGACY_PUBLISH=1\nHTTP_PORT=9443\n")).unwrap();
    assert_eq!(as_told, (9443, 9443));
    assert_eq!(as_told, ports(format!("{old}LEGACY_PUBLISH=1\n")).unwrap());
    assert!(!migrated(&old.replace("MODE=0", "MODE=1")).text.contains("keeps it so"));
}

#[test]
fn what_is_missing_is_told_and_is_no_fault() {
    let Migrated { text, faults } = migrated("USE_PROXY=1\n");
    assert_eq!(faults, [""; 0]);
    for key in ["PUB_KEY_PATH", "PRIV_KEY_PATH", "TRUST_PROXY_LIST"] {
        assert!(text.contains(&format!("\n# roomcast: still to be set: {key}: ")), "{key}: {text}");
    }
    assert!(text.contains("\n# roomcast: TRUST_CIDR_LIST: is not set: nobody may publish"), "{text}");
}

/// A setting of any name that somebody may have, with a value that is often right for it.
fn setting() -> impl Strategy<Value = String> {
    let names = keys().iter().flat_map(|key| {
        let values: &[&str] = match (key.name, key.kind) {
            ("CLUSTER_INSTANCES", _) => &["-1", "0", "max", "3"],
            ("PROXY_HEADER", _) => &["forwarded", "cf-connecting-ip"],
            ("WEBSOCKET_AUTH", _) => &["0", "1", "true", "token", "off"],
            ("TRUST_ORIGIN_LIST", _) => &["https://a.example", "https://a.example, https://b.example ,"],
            ("VERIFY_ORIGIN", _) => &["0", "producer", "1"],
            ("WEBSOCKET_AUTH_TOKEN_RENEW_INTERVAL", _) => &["86400000", "1000"],
            ("WEBSOCKET_AUTH_TOKEN_RENEW_START_HOUR", _) => &["0", "7"],
            ("LOG_LEVEL", _) => &["warn", "debug"],
            ("LOG_FORMAT", _) => &["json", "pretty"],
            ("HOST", _) => &["::", "127.0.0.1"],
            ("ADMIN_ADDR", _) => &["", "127.0.0.1:0"],
            (_, Kind::Port) => &["2053", "9000", "", "x", "0"],
            (_, Kind::Switch) => &["0", "1", "true", "off", " 1 "],
            (_, Kind::List) => &["10.0.0.1/8, 10.1.0.0/16", "172.0.0.1/8", "::1/128,,127.0.0.1", "010.0.0.1"],
            (_, Kind::Pattern) => &["^a{2}$", "^(a|b)\\d+$", "a b"],
            (_, Kind::Secret) if key.name != "JWT_KEY" => {
                &["a-secret-of-sixteen-bytes", "it's $HOME `a` \\ secret", "short"]
            }
            (_, Kind::Number | Kind::Bytes | Kind::Milliseconds) => &["1000", "20", "", "-3"],
            _ => &[""],
        };
        let names = std::iter::once(key.name).chain(key.aliases.iter().copied());
        names.flat_map(|name| values.iter().map(move |value| (name, *value)))
    });
    let others = [("NODE_ENV", "x y"), ("V8_X", "1"), ("PORT", "1"), ("MINE", "a 'b'"), ("BUS", "x")];
    // Often enough together.
    let ports =
        [("STANDALONE_PORT", "9443"), ("CLUSTER_MODE", "0"), ("LEGACY_PUBLISH", "1"), ("PRODUCER_PORT", "9001")];
    let ports = ports.into_iter().cycle().take(16);
    let all: Vec<_> = names.chain(others).chain(ports).collect();
    (prop::sample::select(all), 0..3_u8).prop_map(|((name, value), style)| match style {
        0 if !value.contains([' ', '\'', '$', '`', '\\', '(', '|']) => format!("{name}={value} # said behind"),
        1 if !value.contains(['"', '$', '`', '\\']) => format!("export {name}=\"{value}\""),
        _ => format!("{name}='{}'", value.replace('\'', "'\\''")),
    })
}

#[test]
fn a_value_of_several_lines_at_the_end_of_a_file_is_one_setting() {
    let new = migrated("A=\"\n\"").text;
    assert!(env_file::parse(new.as_bytes()).faults.is_empty() && new.contains("# A='\n# '\n"), "{new}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_file_keeps_its_meaning_and_loses_nothing(lines in prop::collection::vec(setting(), 0..12)) {
        let old = lines.join("\n");
        assert_same(&old);
        let new = migrated(&old).text;
        for entry in env_file::parse(old.as_bytes()).entries {
            // As it stood, or at least each entry of a list; the zeros before a slash are what host bits become.
            let text = entry.value.replace(".0.1/", ".0.0/").replace('\'', "'\\''");
            let is_kept = text.split(',').all(|part| new.contains(part.trim()) || new.contains(&entry.value));
            let is_debug = entry.name == "ENABLE_DEBUG" && new.contains("\nLOG_LEVEL=debug\n");
            prop_assert!(is_kept || is_debug, "{entry:?}\n{new}");
            prop_assert!(entry.comment.is_none() || new.contains("\n# said behind\n"), "{new}");
        }
    }

    #[test]
    fn any_bytes_end_in_a_file_that_can_be_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let new = migrate("old", &bytes).text;
        let file = env_file::parse(new.as_bytes());
        prop_assert!(file.faults.is_empty(), "{:?}\n{new}", file.faults);
    }
}
