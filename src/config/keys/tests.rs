//! The table: names that are unique, and the flags made from them.

use std::collections::BTreeSet;

use super::*;

#[test]
fn every_name_means_one_thing() {
    let mut names = BTreeSet::new();
    let files = keys().iter().filter_map(Key::file_name);
    let plain = keys().iter().flat_map(|key| std::iter::once(key.name).chain(key.aliases.iter().copied()));
    let later = LATER.iter().map(|(name, _)| *name);
    for name in plain.chain(later).map(str::to_owned).chain(files) {
        assert!(is_known(&name), "{name}");
        assert!(names.insert(name.clone()), "{name} twice");
    }
    assert!(!is_known("HTTP_PORT_FILE") && !is_known("_FILE") && !is_known("PORT"));
}

#[test]
fn a_flag_is_the_name_in_kebab_case() {
    let key = keys().iter().find(|key| key.name == "WEBSOCKET_AUTH_TOKEN_SECRET").unwrap();
    assert_eq!(key.flag(), "websocket-auth-token-secret");
    assert_eq!(key.file_name().as_deref(), Some("WEBSOCKET_AUTH_TOKEN_SECRET_FILE"));
}

#[test]
fn every_key_says_in_one_line_what_it_does() {
    for key in keys() {
        assert!(!key.meaning.is_empty() && !key.meaning.contains('\n') && !key.meaning.ends_with('.'), "{}", key.name);
    }
}
