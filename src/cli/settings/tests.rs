//! The flags: one a setting, and what was given comes back by name.

use super::*;

fn given(arguments: &[&str]) -> Result<BTreeMap<String, String>, clap::Error> {
    let command = add_to(Command::new("roomcast"));
    let matches = command.try_get_matches_from(std::iter::once(&"roomcast").chain(arguments))?;
    Ok(flags(&matches))
}

#[test]
fn every_setting_has_a_flag_and_every_secret_one_for_its_file() {
    for key in keys() {
        let flags = given(&[&format!("--{}", key.flag()), "x"]).unwrap();
        assert_eq!(flags, BTreeMap::from([(key.name.to_owned(), "x".to_owned())]));
        let file = given(&[&format!("--{}-file", key.flag()), "x"]);
        assert_eq!(file.is_ok(), key.is_secret(), "{}", key.name);
    }
    add_to(Command::new("roomcast")).debug_assert();
}

#[test]
fn nothing_given_is_nothing_set() {
    assert_eq!(given(&[]).unwrap(), BTreeMap::new());
}

#[test]
fn empty_and_negative_values_can_be_given() {
    let flags = given(&["--admin-addr", "", "--cluster-instances", "-1", "--jwt-key=-x"]).unwrap();
    let expected = [("ADMIN_ADDR", ""), ("CLUSTER_INSTANCES", "-1"), ("JWT_KEY", "-x")];
    assert_eq!(flags, expected.map(|(name, text)| (name.to_owned(), text.to_owned())).into());
    assert!(given(&["--http-port", "--tls"]).is_err());
}

#[test]
fn the_file_is_taken_from_its_flag() {
    let command = add_to(Command::new("roomcast"));
    let matches = command.try_get_matches_from(["roomcast", "--env-file", "a.env"]).unwrap();
    let sources = sources(&matches);
    assert_eq!(sources.env_file, Some(PathBuf::from("a.env")));
    assert!(sources.machine.cores >= 1 && sources.machine.files_max >= 1);
}

#[test]
fn help_tells_meaning_and_default() {
    let help = add_to(Command::new("roomcast")).render_long_help().to_string();
    for key in keys() {
        assert!(help.contains(&format!("--{} ", key.flag())), "{}", key.name);
    }
    assert!(help.contains("[2053]") && help.contains("Settings:"));
}

#[test]
fn the_file_alone_can_be_given_before_and_behind_a_subcommand() {
    let command = || add_env_file_to(Command::new("token").subcommand(Command::new("make")));
    for words in [["token", "--env-file", "a.env", "make"], ["token", "make", "--env-file", "a.env"]] {
        let sources = sources(&command().try_get_matches_from(words).unwrap());
        assert_eq!((sources.env_file, sources.flags), (Some(PathBuf::from("a.env")), BTreeMap::new()), "{words:?}");
    }
    assert!(command().try_get_matches_from(["token", "--http-port", "1"]).is_err());
}
