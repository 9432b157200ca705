//! The migration document tells of every difference, each with a test, and of nothing that is none.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::{PLAYED, transcript};

const DOCUMENT: &str = include_str!("../../../docs/migrating-from-vrchats.md");

/// The rows of the document's table of differences: each id with the tests that the row names.
fn rows() -> BTreeMap<&'static str, Vec<&'static str>> {
    let (_, table) = DOCUMENT.split_once("## What differs\n").expect("the section");
    let table = table.split("\n## ").next().unwrap();
    let mut rows = BTreeMap::new();
    for line in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        assert_eq!(cells.len(), 4, "id, vrchats, roomcast and why, tests: {line}");
        let tests = cells[3].split('`').skip(1).step_by(2).collect();
        assert_eq!(rows.insert(cells[0].trim_matches('`'), tests), None, "{line}");
    }
    assert!(rows.len() > 40, "the table was read");
    rows
}

/// The names of all test functions of the project.
fn tests() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("src"), root.join("tests/gateway")];
    let mut found = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.extend(tests_of(&fs::read_to_string(path).unwrap()));
            }
        }
    }
    found
}

/// The functions behind a test attribute.
fn tests_of(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| is_test) {
            found.extend(rest.split('(').next().map(str::to_owned));
            is_test = false;
        }
    }
    found
}

/// The differences that the steps name.
fn differences() -> BTreeSet<String> {
    let steps = PLAYED.iter().flat_map(|name| transcript::read(name).steps);
    steps.filter_map(|step| step.difference).collect()
}

#[test]
fn every_transcript_is_played() {
    let mut played: Vec<_> = PLAYED.iter().map(|name| (*name).to_owned()).collect();
    played.sort();
    assert_eq!(transcript::names(), played);
}

#[test]
fn a_step_differs_exactly_where_it_names_a_difference() {
    for name in PLAYED {
        let mut names = BTreeSet::new();
        for step in transcript::read(name).steps {
            assert!(!step.vrchats.is_empty(), "{name}: {} has no recording", step.name);
            assert_eq!(step.ours.is_some(), step.difference.is_some(), "{name}: {}", step.name);
            assert_ne!(step.ours.as_ref(), Some(&step.vrchats), "{name}: {} is no difference any more", step.name);
            assert!(names.insert(step.name.clone()), "{name}: {} is there twice", step.name);
        }
    }
}

#[test]
fn every_difference_of_a_step_is_told_and_every_row_is_tested() {
    let (rows, tests, differences) = (rows(), tests(), differences());
    for id in &differences {
        assert!(rows.contains_key(id.as_str()), "{id} is missing in the document");
    }
    for (id, named) in &rows {
        assert!(!named.is_empty(), "{id} names no test");
        for test in named {
            let is_transcript = test.strip_prefix("parity::").is_some_and(|name| PLAYED.contains(&name));
            assert!(is_transcript || tests.contains(*test), "{id} names {test}, which does not exist");
        }
        let is_played = named.iter().any(|test| test.starts_with("parity::"));
        assert_eq!(is_played, differences.contains(*id), "{id}: its row names parity tests where steps name it");
    }
}

#[test]
fn every_transcript_with_a_difference_is_named_by_its_row() {
    let rows = rows();
    for name in PLAYED {
        for id in transcript::read(name).steps.iter().filter_map(|step| step.difference.as_deref()) {
            let test = format!("parity::{name}");
            assert!(rows.get(id).is_some_and(|tests| tests.contains(&test.as_str())), "{id} does not name {test}");
        }
    }
}

#[test]
fn every_test_of_a_numbered_defect_is_in_the_table() {
    let rows = rows();
    for test in tests().iter().filter(|test| test.starts_with("v_")) {
        let number = test.split('_').nth(1).unwrap().to_uppercase();
        let id = format!("V-{}", number.replace('B', "b"));
        let named = rows.get(id.as_str()).unwrap_or_else(|| panic!("{id} of {test} has no row"));
        assert!(named.contains(&test.as_str()), "{id} does not name {test}");
    }
}
