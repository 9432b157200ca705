//! `roomcast cert`: files, their modes, and what is never overwritten.

use std::os::unix::fs::PermissionsExt;

use crate::harness::process::Shell;

#[tokio::test]
async fn files_are_made_once_and_keys_are_private() {
    let shell = Shell::new(&[]);
    let out = shell.run(&["cert", "--host", "gateway.example.test", "--client", "billing"]).await.ok();
    for (name, mode, meaning) in [
        ("ca.pem", 0o644, "the authority"),
        ("ca-key.pem", 0o600, "its private key"),
        ("cert.pem", 0o644, "gateway.example.test"),
        ("key.pem", 0o600, "PRIV_KEY_PATH"),
        ("client-billing.pem", 0o644, "client certificate of billing"),
        ("client-billing-key.pem", 0o600, "its private key"),
    ] {
        let path = shell.path("certs/dev").join(name);
        let found = std::fs::metadata(&path).unwrap_or_else(|_| panic!("no {name}")).permissions().mode() & 0o777;
        // The mask of whoever runs the test may take more away.
        assert_eq!(found & !mode, 0, "{name} has {found:o}");
        let line = out.lines().find(|line| line.starts_with(&format!("certs/dev/{name} ")));
        assert!(line.unwrap_or_else(|| panic!("no word of {name}: {out}")).contains(meaning), "{out}");
    }

    let read = |name: &str| std::fs::read(shell.path("certs/dev").join(name)).unwrap();
    let (authority, certificate) = (read("ca.pem"), read("cert.pem"));
    let told = shell.run(&["cert"]).await.fault(1);
    assert_eq!(told, "roomcast: certs/dev/cert.pem is there already; --force replaces it\n");
    assert_eq!(read("cert.pem"), certificate);
    shell.run(&["cert", "--force"]).await.ok();
    assert_ne!(read("cert.pem"), certificate);
    assert_eq!(read("ca.pem"), authority, "browsers know it");
}
