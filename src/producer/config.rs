//! What the producer needs to know.

/// The settings of the producer port's API.
#[derive(Clone, Debug)]
pub struct Config {
    /// `PUBLISH_BODY_LIMIT`: bytes of a publish body, after inflation.
    pub body_bytes_max: usize,
    /// `LEGACY_PUBLISH`: `POST /` is `POST /publish`, and `GET /` is `GET /status`.
    pub has_legacy_route: bool,
    /// `LEGACY_QUIRKS`: refusals of a body have the statuses of vrchats.
    pub has_legacy_statuses: bool,
}
