//! Turning away who speaks HTTP/2.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

/// What a server says to who speaks HTTP/2 where that is not to be: SETTINGS, without which nothing may come,
/// and GOAWAY with `HTTP_1_1_REQUIRED` (RFC 9113 §6.8, §7).
const GOAWAY: &[u8] = &[
    0, 0, 0, 4, 0, 0, 0, 0, 0, //
    0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xD,
];

/// Tells a client that it shall speak HTTP/1.1, and ends the connection.
pub async fn refuse(mut client: impl AsyncRead + AsyncWrite + Unpin) {
    let told = async {
        client.write_all(GOAWAY).await?;
        client.shutdown().await?;
        let mut rest = [0; 1024];
        while client.read(&mut rest).await? > 0 {}
        Ok::<_, io::Error>(())
    };
    // Whether it still listens is its own affair.
    let _ = timeout(Duration::from_secs(1), told).await;
}
