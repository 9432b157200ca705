//! Socket.IO packets that no honest client sends.

use super::play;

#[tokio::test]
async fn each_row_of_the_list_of_socket_io_has_its_answer() {
    let rows = play(include_str!("socket_io.txt"), "1").await;
    assert!(rows >= 40, "{rows} rows");
}
