//! What of a file is the secret, and that it is not printed.

use super::Secret;

#[test]
fn a_files_line_ends_do_not_belong_to_the_secret_and_its_blanks_do() {
    for (text, expected) in [
        ("some secret", "some secret"),
        ("some secret\n", "some secret"),
        ("some secret\r\n\n\r\n", "some secret"),
        (" some secret \n", " some secret "),
        ("\nsome\nsecret\n", "\nsome\nsecret"),
        ("\r\n", ""),
        ("", ""),
    ] {
        assert_eq!(Secret::from_file_text(text).expose(), expected, "{text:?}");
    }
}

#[test]
fn a_secret_is_not_printed() {
    assert_eq!(format!("{:?}", Secret::from_file_text("some secret")), "Secret(***)");
}
