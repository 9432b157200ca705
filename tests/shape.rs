//! The rules of ARCHITECTURE.md that a program can check: who imports whom, how large files and functions are, and that
//! every module says what it is for.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may end itself")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;

/// What each module may import. `config` takes the Config structs, lists and keys that the modules own.
const EDGES: [(&str, &[&str]); 13] = [
    ("types", &[]),
    ("lifecycle", &["types"]),
    ("hub", &["types"]),
    ("admission", &["types", "lifecycle"]),
    ("listen", &["types", "lifecycle"]),
    ("publish", &["types", "hub"]),
    ("producer", &["types", "admission", "publish"]),
    ("subscriber", &["types", "lifecycle", "hub", "admission"]),
    ("cluster", &["types", "lifecycle"]),
    ("ops", &["types", "lifecycle"]),
    ("config", &["types", "listen", "admission", "producer", "publish", "subscriber", "cluster", "ops", "lifecycle"]),
    (
        "app",
        &[
            "types",
            "lifecycle",
            "hub",
            "admission",
            "listen",
            "publish",
            "producer",
            "subscriber",
            "cluster",
            "ops",
            "config",
        ],
    ),
    (
        "cli",
        &[
            "types",
            "lifecycle",
            "hub",
            "admission",
            "listen",
            "publish",
            "producer",
            "subscriber",
            "cluster",
            "ops",
            "config",
            "app",
        ],
    ),
];

fn rust_files(below: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(below)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "no Rust files below {below}");
    found
}

fn relative(path: &Path) -> String {
    path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().to_string_lossy().into_owned()
}

fn is_test(path: &Path) -> bool {
    let name = relative(path);
    name.ends_with("/tests.rs") || name.contains("/tests/")
}

/// The first segment of each `crate::` path of the code, comments left out.
fn imports(text: &str) -> BTreeSet<String> {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    let mut found = BTreeSet::new();
    for line in code {
        for rest in line.split("crate::").skip(1) {
            if let Some(group) = rest.strip_prefix('{') {
                let names = group.split('}').next().unwrap_or_default();
                found.extend(names.split(',').map(|name| segment(name.trim())).filter(|name| !name.is_empty()));
            } else {
                found.insert(segment(rest));
            }
        }
    }
    found
}

fn segment(path: &str) -> String {
    path.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

#[test]
fn modules_import_only_what_they_may() {
    let mut offences = Vec::new();
    for path in rust_files("src").iter().filter(|path| !is_test(path)) {
        let name = relative(path);
        let module = name.trim_start_matches("src/").split(['/', '.']).next().unwrap();
        if module == "lib" || module == "main" {
            continue;
        }
        let (_, allowed) = EDGES.iter().find(|(of, _)| *of == module).unwrap_or_else(|| panic!("{name}: no rule"));
        for import in imports(&fs::read_to_string(path).unwrap()) {
            if import != module && !allowed.contains(&import.as_str()) {
                offences.push(format!("{name} imports {import}"));
            }
        }
    }
    assert!(offences.is_empty(), "{offences:#?}");
}

#[test]
fn the_engine_is_our_own() {
    for path in rust_files("src") {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let of_others = |line: &&str| ["socketioxide", "engineioxide"].iter().any(|name| line.contains(name));
        assert_eq!(code.filter(of_others).count(), 0, "{}", relative(&path));
    }
}

#[test]
fn files_and_functions_are_short() {
    let mut offences = Vec::new();
    for path in ["src", "tests", "benches"].iter().flat_map(|folder| rust_files(folder)) {
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<_> = text.lines().collect();
        if lines.len() > FILE_LINES_MAX {
            offences.push(format!("{} has {} lines", relative(&path), lines.len()));
        }
        for (start, line) in lines.iter().enumerate() {
            if let Some(length) = function_length(&lines[start..], line)
                && length > FUNCTION_LINES_MAX
            {
                offences.push(format!("{}:{} is a function of {length} lines", relative(&path), start + 1));
            }
        }
    }
    assert!(offences.is_empty(), "{offences:#?}");
}

/// Lines of the function that `line` opens, as rustfmt lays it out: up to the brace at the same depth.
fn function_length(from_here: &[&str], line: &str) -> Option<usize> {
    let declaration = line.trim_start();
    let depth = line.len() - declaration.len();
    let words: Vec<_> = declaration.split(' ').take(5).collect();
    if !words.contains(&"fn") || declaration.starts_with("//") || declaration.ends_with([';', '}']) {
        return None;
    }
    let end = format!("{}}}", " ".repeat(depth));
    from_here.iter().position(|line| *line == end).map(|last| last + 1)
}

#[test]
fn every_module_says_what_it_is_for() {
    for path in ["src", "tests", "benches"].iter().flat_map(|folder| rust_files(folder)) {
        let text = fs::read_to_string(&path).unwrap();
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with("//! ") && first.len() > 20, "{} opens with {first:?}", relative(&path));
    }
}

#[test]
fn unit_tests_stand_beside_their_module() {
    for path in rust_files("src") {
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("mod tests {"), "{} holds its tests", relative(&path));
    }
}
