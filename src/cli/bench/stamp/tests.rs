//! A stamp survives its way through a gateway, and strangers' events carry none.

use super::{Stamp, Stamper};

const STAMP: Stamp = Stamp { stream: 7, sequence: 4_000_000_000, sent_ns: 12_345_678_901 };

#[test]
fn a_body_is_json_whose_data_has_the_length_asked_for() {
    let stamper = Stamper::new(0xbeef);
    for bytes in [80, 81, 1000] {
        let mut body: serde_json::Value = serde_json::from_str(&stamper.body("room", STAMP, bytes)).unwrap();
        assert_eq!(body.as_object_mut().unwrap().remove("target_id").unwrap(), "room");
        assert_eq!(body.to_string().len(), bytes);
        assert_eq!(stamper.find(format!("[\"room\",{body}]").as_bytes()), Some(STAMP));
    }
    let shortest: serde_json::Value = serde_json::from_str(&stamper.body("room", STAMP, 0)).unwrap();
    assert_eq!(shortest["pad"], "");
}

#[test]
fn an_event_of_another_run_or_a_cut_one_has_no_stamp() {
    let body = Stamper::new(1).body("room", STAMP, 0);
    assert_eq!(Stamper::new(2).find(body.as_bytes()), None);
    let stamper = Stamper::new(1);
    for event in
        ["", "[\"room\",{}]", "\"bench\":\"00000001.", "\"bench\":\"00000001.1.2\"", "\"bench\":\"00000001.1.x.3\""]
    {
        assert_eq!(stamper.find(event.as_bytes()), None, "{event}");
    }
}
