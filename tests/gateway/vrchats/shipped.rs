//! Those of what is shipped beside the binary: image, unit and examples, read as they are.

use std::fs;
use std::path::{Path, PathBuf};

/// The files of the project, but not the tests and what was built, installed or made on this machine.
fn shipped() -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR"))];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_str().unwrap();
            if !path.is_dir() {
                found.push(path);
            } else if ![".git", "target", "node_modules", "tests", "certs"].contains(&name) {
                folders.push(path);
            }
        }
    }
    found
}

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The instructions of the Dockerfile, each on one line.
fn instructions() -> Vec<String> {
    let text = read("Dockerfile").replace("\\\n", " ");
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

/// What may come into an image: the allow-list of .dockerignore, whose first pattern excludes all.
#[test]
fn v_40_no_secret_and_no_key_can_come_into_a_layer() {
    let ignore = read(".dockerignore");
    let mut patterns = ignore.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    assert_eq!(patterns.next(), Some("*"), "nothing is sent to the builder unless it is named");
    for name in patterns.filter_map(|pattern| pattern.strip_prefix('!')) {
        for secret in ["certs", ".env", "*", "secret", "pem", "key"] {
            assert!(!name.contains(secret), "{name}");
        }
    }
    for line in instructions() {
        let (word, rest) = line.split_once(' ').unwrap();
        match word.to_ascii_uppercase().as_str() {
            "COPY" | "ADD" => {
                let sources: Vec<_> = rest.split(' ').filter(|source| !source.starts_with("--")).collect();
                for source in &sources[..sources.len() - 1] {
                    assert!(![".", "./", "*"].contains(source), "all is copied: {line}");
                    assert!(
                        !source.contains(".env") && !source.contains("certs") && !source.contains(".pem"),
                        "{line}"
                    );
                }
            }
            "ENV" | "ARG" => {
                for word in ["SECRET", "TOKEN", "PASSWORD", "JWT_KEY"] {
                    assert!(!rest.contains(word), "{line}");
                }
            }
            _ => {}
        }
    }
}

#[test]
fn v_42_the_image_runs_the_binary_itself_and_tells_its_health() {
    let instructions = instructions();
    let last_stage = instructions.iter().rposition(|line| line.starts_with("FROM ")).unwrap();
    let stage = &instructions[last_stage..];
    let one = |word: &str| {
        let lines: Vec<_> = stage.iter().filter_map(|line| line.strip_prefix(word)).collect();
        assert_eq!(lines.len(), 1, "{word}: {lines:?}");
        lines[0].trim()
    };
    let exec = |text: &str| serde_json::from_str::<Vec<String>>(text).unwrap_or_else(|_| panic!("by a shell: {text}"));
    assert!(exec(one("ENTRYPOINT"))[0].ends_with("/roomcast"));
    let (options, health) = one("HEALTHCHECK").split_once("CMD").unwrap();
    assert!(options.contains("--interval="), "{options}");
    assert!(exec(health.trim()).iter().any(|argument| argument == "healthcheck"), "{health}");
    let user = one("USER");
    assert!(!user.is_empty() && !user.starts_with('0') && !user.starts_with("root"), "{user}");
    for word in ["npm", "node", "pm2", "apt-get", "entrypoint.sh", "$@"] {
        assert!(stage.iter().all(|line| !line.contains(word)), "{word}");
    }
}

#[test]
fn v_43_no_example_turns_certificate_checks_off() {
    let words = [
        "rejectUnauthorized",
        "NODE_TLS_REJECT_UNAUTHORIZED",
        "InsecureSkipVerify",
        "danger_accept_invalid",
        "verify=False",
        "CERT_NONE",
        "_create_unverified_context",
        "CURLOPT_SSL_VERIFY",
        "verify_peer' => false",
        "verify_peer_name' => false",
        "--no-check-certificate",
        "ignore-certificate-errors",
    ];
    let mut read = 0;
    for path in shipped() {
        let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().to_str().unwrap().to_owned();
        let Ok(text) = fs::read_to_string(&path) else { continue };
        // The option of the commands, which says what it does each time, is theirs alone.
        let is_example = !name.starts_with("src/");
        read += usize::from(is_example);
        for line in text.lines() {
            assert!(!words.iter().any(|word| line.contains(word)), "{name}: {line}");
            let mut words = line.split([' ', '\'', '"', '`']);
            let is_off = match line {
                line if line.contains("curl ") => words.any(|word| word == "-k" || word == "--insecure"),
                line => line.contains("roomcast ") && words.any(|word| word == "--insecure"),
            };
            assert!(!(is_example && is_off), "{name}: {line}");
        }
    }
    assert!(read > 10, "examples were read");
}
