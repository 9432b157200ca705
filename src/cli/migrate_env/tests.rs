//! Where the old file comes from, where the new one goes, and the exit code.

use super::*;

fn run_on(old: &str, input: &str) -> (u8, String, String) {
    let (mut out, mut complaints) = (Vec::new(), Vec::new());
    let args = Args { old: PathBuf::from(old) };
    let code = run(&args, &mut input.as_bytes(), &mut out, &mut complaints).unwrap();
    (code, String::from_utf8(out).unwrap(), String::from_utf8(complaints).unwrap())
}

#[test]
fn a_file_is_read_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.env");
    let old = "PRODUCER_PORT=3000\nAUTH_TOKEN_SECRET=\"some-nasty-secret\"\n";
    std::fs::write(&path, old).unwrap();
    let (code, out, complaints) = run_on(path.to_str().unwrap(), "");
    assert_eq!((code, complaints.as_str()), (EXIT_OK, ""));
    assert!(out.contains("\nHTTP_PORT=3000\n") && out.contains("\nWEBSOCKET_AUTH_TOKEN_SECRET=some-nasty-secret\n"));
    assert!(out.contains("it holds the secrets of that file"), "{out}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), old);
}

#[test]
fn a_dash_reads_standard_input_and_a_fault_is_told_with_its_line() {
    let (code, out, complaints) = run_on("-", "\nHTTP_PORT=x\n");
    assert_eq!(code, EXIT_FAULT);
    assert!(out.contains("\nHTTP_PORT=x\n"));
    assert_eq!(
        complaints,
        "HTTP_PORT (standard input:2): \"x\" is no port; write a number from 1 to 65535, or 0 for a free one\n"
    );
}

#[test]
fn a_file_that_is_not_there_is_told() {
    let args = Args { old: PathBuf::from("/nowhere/old.env") };
    let error = run(&args, &mut &b""[..], &mut Vec::new(), &mut Vec::new()).unwrap_err();
    assert!(format!("{error:#}").starts_with("cannot read /nowhere/old.env: "), "{error:#}");
}
