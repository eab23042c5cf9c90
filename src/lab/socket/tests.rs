use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::runtime::Builder;

use super::*;
use crate::lab::frames::frame;

const DEFLATE: Deflate = Deflate {
    server_no_context_takeover: false,
    client_no_context_takeover: true,
    server_max_window_bits: 10,
    client_max_window_bits: 15,
};

fn run<T>(work: impl Future<Output = T>) -> T {
    Builder::new_current_thread().enable_time().build().unwrap().block_on(work)
}

/// A server's socket, and the other end of its stream.
fn server(room: usize) -> (Socket, DuplexStream) {
    let (ours, theirs) = duplex(room);
    (Socket::new(ours, Dir::Server, None, Manners::default()), theirs)
}

fn message(kind: Opcode, payload: &[u8]) -> Came {
    Came::Message(Received { kind, payload: payload.to_vec() })
}

async fn read(theirs: &mut DuplexStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    theirs.read_exact(&mut bytes).await.unwrap();
    bytes
}

#[test]
fn both_endpoints_speak_and_part() {
    for deflate in [None, Some(DEFLATE)] {
        run(async {
            let (ours, theirs) = duplex(1 << 20);
            let mut server = Socket::new(ours, Dir::Server, deflate, Manners::default());
            let mut client = Socket::new(theirs, Dir::Client, deflate, Manners::default());
            for payload in ["hello", "", "hello", &"€uro ".repeat(20_000)] {
                client.queue_fragments(Opcode::TEXT, payload.as_bytes(), 3);
                client.send(Opcode::PING, b"?").await.unwrap();
                assert_eq!(server.next().await.unwrap(), message(Opcode::TEXT, payload.as_bytes()));
                assert_eq!(server.next().await.unwrap(), Came::Ping(b"?".to_vec()));
                server.send(Opcode::BINARY, payload.as_bytes()).await.unwrap();
                assert_eq!(client.next().await.unwrap(), Came::Pong(b"?".to_vec()));
                assert_eq!(client.next().await.unwrap(), message(Opcode::BINARY, payload.as_bytes()));
            }
            client.close(Some(CloseCode(4000)), "that is all");
            client.close(Some(CloseCode(1000)), "twice");
            client.flush().await.unwrap();
            let close = server.next().await.unwrap();
            assert_eq!(close, Came::Close(Some(CloseCode(4000)), "that is all".to_owned()));
            let (ended, close) = tokio::join!(server.finish(Duration::from_secs(5)), async {
                let close = client.next().await.unwrap();
                assert_eq!(client.next().await.unwrap(), Came::End);
                // Ends our side, for which the server waits.
                drop(client);
                close
            });
            ended.unwrap();
            assert_eq!(close, Came::Close(Some(CloseCode(4000)), String::new()));
        });
    }
}

#[test]
fn a_reason_is_cut_between_characters() {
    run(async {
        let (mut socket, mut theirs) = server(1000);
        socket.close(Some(CloseCode(1000)), &"é".repeat(100));
        socket.flush().await.unwrap();
        let bytes = read(&mut theirs, 2 + 2 + 122).await;
        assert_eq!((bytes[1], std::str::from_utf8(&bytes[4..]).is_ok()), (124, true));
    });
}

#[test]
fn a_violation_is_answered_with_its_code() {
    run(async {
        let (mut socket, mut theirs) = server(1000);
        // Text, and the beginning of a text that cannot become one.
        let bytes =
            [&frame(Dir::Client, Opcode::TEXT, b"good")[..], b"\x81\xFE\xFF\xFF\0\0\0\0abc\xFF"].concat();
        theirs.write_all(&bytes).await.unwrap();
        assert_eq!(socket.next().await.unwrap(), message(Opcode::TEXT, b"good"));
        let Came::Violation(violation) = socket.next().await.unwrap() else { panic!() };
        assert_eq!(violation.code, CloseCode(1007));
        socket.flush().await.unwrap();
        let bytes = read(&mut theirs, 4).await;
        assert_eq!((bytes[0], &bytes[2..]), (0x88, &[0x03, 0xEF][..]));
        // Whatever else comes is not looked at.
        theirs.write_all(b"anything").await.unwrap();
        drop(theirs);
        assert_eq!(socket.next().await.unwrap(), Came::End);
    });
}

#[test]
fn no_pong_and_masks_are_as_told() {
    run(async {
        let (ours, mut theirs) = duplex(1000);
        let manners = Manners { masks: Some(true), answers_pings: false, ..Manners::default() };
        let mut socket = Socket::new(ours, Dir::Server, None, manners);
        theirs.write_all(&frame(Dir::Client, Opcode::PING, b"?")).await.unwrap();
        assert_eq!(socket.next().await.unwrap(), Came::Ping(b"?".to_vec()));
        socket.send(Opcode::TEXT, b"hi").await.unwrap();
        assert_eq!(read(&mut theirs, 2).await, [0x81, 0x82]);
    });
}

#[test]
fn who_takes_nothing_is_given_up() {
    run(async {
        let (ours, mut theirs) = duplex(64);
        let manners = Manners { write_timeout: Some(Duration::from_millis(30)), ..Manners::default() };
        let mut socket = Socket::new(ours, Dir::Server, None, manners);
        // Meanwhile it is read on, up to what may wait.
        socket.queue(Opcode::BINARY, &[0; 1000]);
        theirs.write_all(&frame(Dir::Client, Opcode::TEXT, b"hello")).await.unwrap();
        assert_eq!(socket.next().await.unwrap(), message(Opcode::TEXT, b"hello"));
        assert_eq!(socket.next().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    });
}

#[test]
fn who_takes_nothing_is_not_read_from_for_ever() {
    run(async {
        let (mut socket, mut theirs) = server(64);
        socket.queue(Opcode::BINARY, &vec![0; limits::LAB_SOCKET_WAITING + 1000]);
        theirs.write_all(&frame(Dir::Client, Opcode::TEXT, b"hello")).await.unwrap();
        let waits = poll_fn(|cx| Poll::Ready(socket.poll_next(cx).is_pending())).await;
        assert!(waits);
        let mut taken = 0;
        let mut buffer = [0; 4096];
        let next = loop {
            tokio::select! {
                next = socket.next() => break next,
                read = theirs.read(&mut buffer) => taken += read.unwrap(),
            }
        };
        assert_eq!(next.unwrap(), message(Opcode::TEXT, b"hello"));
        assert!(taken >= 900, "{taken}");
    });
}

/// RFC 6455 §5.5.1: what came before a Close is answered before it, and nothing behind it.
#[test]
fn what_came_before_a_close_is_answered_first() {
    run(async {
        let (mut socket, mut theirs) = server(1000);
        let bytes = [frame(Dir::Client, Opcode::TEXT, b"last"), frame(Dir::Client, Opcode::CLOSE, b"")];
        theirs.write_all(&bytes.concat()).await.unwrap();
        assert_eq!(socket.next().await.unwrap(), message(Opcode::TEXT, b"last"));
        socket.queue(Opcode::TEXT, b"answer");
        assert_eq!(socket.next().await.unwrap(), Came::Close(None, String::new()));
        socket.queue(Opcode::TEXT, b"too late");
        socket.flush().await.unwrap();
        drop(socket);
        let mut all = Vec::new();
        theirs.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"\x81\x06answer\x88\x00");
    });
}
