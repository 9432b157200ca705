//! What fits, and what is advised when it does not.

use super::{Unfit, fits, port_count};

#[test]
fn ten_thousand_subscribers_fit_into_twenty_thousand_files() {
    assert_eq!(fits(10_000, 100, 1, 2, Some(20_000), 28_232), Ok(()));
    assert_eq!(fits(10_000, 100, 1, 2, None, 28_232), Ok(()));
}

#[test]
fn the_advice_fits() {
    let Err(Unfit::Files { subscribers, .. }) = fits(30_000, 16, 2, 1, Some(20_000), 28_232) else { panic!("fits") };
    let subscribers = u32::try_from(subscribers).unwrap();
    assert_eq!(fits(subscribers, 16, 2, 1, Some(20_000), 28_232), Ok(()));

    let Err(Unfit::Ports { sources, .. }) = fits(60_000, 1, 1, 1, None, 28_232) else { panic!("fits") };
    let sources = u32::try_from(sources).unwrap();
    assert_eq!(fits(60_000, 1, sources, 1, None, 28_232), Ok(()));
    assert!(fits(60_000, 1, sources - 1, 1, None, 28_232).is_err());
}

#[test]
fn the_kernels_range_is_read() {
    assert_eq!(port_count("32768\t60999\n"), Some(28_232));
    assert_eq!(port_count("x"), None);
    assert_eq!(port_count("2 1"), None);
}
