//! How an answer is cut into packets.

use hyper::body::Bytes;

use super::next_packet;

#[test]
fn an_answer_is_cut_at_its_separators() {
    let mut answer = Bytes::from_static(b"40{}\x1e42[\"a\",1]\x1e\x1e2");
    let packets: Vec<_> = std::iter::from_fn(|| (!answer.is_empty()).then(|| next_packet(&mut answer))).collect();
    assert_eq!(packets, [&b"40{}"[..], b"42[\"a\",1]", b"", b"2"]);
}
