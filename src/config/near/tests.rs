//! Which names of the environment are taken for misspelt ones, and which are left alone.

use super::*;

fn meant(name: &str) -> Option<&str> {
    unprefixed(name).or_else(|| nearest(name, &IN_ENVIRONMENT))
}

#[test]
fn misspelt_names_are_found() {
    for (name, key) in [
        ("WEBSOKET_PORT", "WEBSOCKET_PORT"),
        ("WEBSOCKETPORT", "WEBSOCKET_PORT"),
        ("HTTP_PROT", "HTTP_PORT"),
        ("http_port", "HTTP_PORT"),
        ("TRUST_CIDR_LSIT", "TRUST_CIDR_LIST"),
        ("ALLOWED_ORIGIN", "ALLOWED_ORIGINS"),
        ("WEBSOCKET_AUTH_TOKEN_SECRETS", "WEBSOCKET_AUTH_TOKEN_SECRET"),
        ("CLUSTER_INSTANCE", "CLUSTER_INSTANCES"),
        ("LOGLEVEL", "LOG_LEVEL"),
        ("ROOMCAST_TLS", "TLS"),
    ] {
        assert_eq!(meant(name), Some(key));
    }
}

#[test]
fn names_that_others_use_are_left_alone() {
    for name in [
        "PATH",
        "HOME",
        "HOSTNAME",
        "HOSTS",
        "HOSTTYPE",
        "PORT",
        "PWD",
        "LANG",
        "LOGNAME",
        "USER",
        "SHELL",
        "TERM",
        "TZ",
        "CDPATH",
        "MANPATH",
        "INFOPATH",
        "GOPATH",
        "NODE_PATH",
        "PYTHONPATH",
        "LD_LIBRARY_PATH",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "ALL_PROXY",
        "FTP_PROXY",
        "SMTP_PORT",
        "HTTP_HOST",
        "NODE_IP",
        "NODE_NAME",
        "POD_IP",
        "ALLOWED_HOSTS",
        "CLUSTER_NAME",
        "CLUSTER_NODES",
        "LOG_FILE",
        "LOG_PATH",
        "REDIS_PORT",
        "DATABASE_URL",
        "KUBERNETES_SERVICE_HOST",
        "KUBERNETES_PORT",
        "ROOMCAST_SERVICE_HOST",
        "ROOMCAST_PORT",
        "INVOCATION_ID",
        "JOURNAL_STREAM",
        "NOTIFY_SOCKET",
        "LISTEN_FDS",
        "CARGO_HOME",
        "RUST_LOG",
        "RUST_BACKTRACE",
        "CI",
        "DEBUG",
        "SSH_AUTH_SOCK",
        "XDG_RUNTIME_DIR",
        "SSL_CERT_FILE",
        "OLDPWD",
        "TLS_CERT",
        "JWT_SECRET",
        "API_KEY",
    ] {
        assert_eq!(meant(name), None);
    }
}

#[test]
fn the_file_is_ours_and_a_wider_guess_is_made() {
    assert_eq!(hint("TRUSTED_PROXY").as_deref(), Some("did you mean TRUST_PROXY?"));
    assert_eq!(hint("HOSTS").as_deref(), Some("did you mean HOST?"));
    assert_eq!(hint("COLOUR"), None);
}
