//! A delay line: it accepts connections, makes one to the server for each, and holds every
//! byte for d in each direction. It counts what it carries.
//!
//! What it reads at a time is what its peer wrote at a time, unless that was more than
//! [`limits::LAB_READ`] or came faster than it is read: that is how segments are known.
//! TCP's own packets (SYN, FIN, acknowledgements) are between neighbours and not delayed.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::hub::held;
use crate::limits;
use crate::model::Dir;

/// A piece of stream that arrived.
#[derive(Clone, Copy, Debug)]
pub struct Carried {
    /// When it left the line.
    pub at: Instant,
    /// Connections count from 0.
    pub connection: u32,
    /// Who sent it.
    pub from: Dir,
    /// How many they are.
    pub bytes: u32,
}

/// What a line has carried.
#[derive(Debug, Default)]
pub struct Log {
    /// Bytes that arrived, by sender: client, server.
    bytes: [AtomicU64; 2],
    connections: AtomicU32,
    pieces: Mutex<Vec<Carried>>,
    /// The first connection, for the decoder.
    recording: Mutex<Recording>,
}

/// Everything one connection carried, in the order in which it arrived.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// What arrived, by whom it was sent.
    pub pieces: Vec<(Dir, Bytes)>,
    /// Bytes that arrived, by sender, whether they were kept or not.
    pub bytes: [u64; 2],
}

impl Log {
    /// Bytes that arrived so far, by sender: client, server.
    pub fn bytes(&self) -> [u64; 2] {
        [self.bytes[0].load(Relaxed), self.bytes[1].load(Relaxed)]
    }

    /// Connections so far.
    pub fn connections(&self) -> u32 {
        self.connections.load(Relaxed)
    }

    /// The pieces that arrived so far; they are noted no longer.
    pub fn take_pieces(&self) -> Vec<Carried> {
        std::mem::take(&mut held(&self.pieces))
    }

    /// What the first connection carried so far; `None` when that was too much to keep.
    pub fn recording(&self) -> Option<Recording> {
        let recording = held(&self.recording).clone();
        let kept: usize = recording.pieces.iter().map(|(_, bytes)| bytes.len()).sum();
        (kept as u64 == recording.bytes[0] + recording.bytes[1]).then_some(recording)
    }

    fn arrived(&self, connection: u32, from: Dir, bytes: &Bytes) {
        self.bytes[from.index()].fetch_add(bytes.len() as u64, Relaxed);
        let mut pieces = held(&self.pieces);
        if pieces.len() < limits::LAB_LOG {
            pieces.push(Carried { at: Instant::now(), connection, from, bytes: bytes.len() as u32 });
        }
        drop(pieces);
        if connection == 0 {
            let mut recording = held(&self.recording);
            recording.bytes[from.index()] += bytes.len() as u64;
            if recording.bytes[0] + recording.bytes[1] <= limits::LAB_RECORDING as u64 {
                recording.pieces.push((from, bytes.clone()));
            }
        }
    }
}

/// Carries every connection of a listener to `server`, for ever.
///
/// # Errors
/// When the thread that watches the clock cannot be started.
pub async fn carry(
    listener: TcpListener,
    server: SocketAddr,
    delay: Duration,
    log: Arc<Log>,
) -> std::io::Result<()> {
    let (due, clock) = mpsc::channel();
    // Timers of an event loop count in milliseconds; a thread that sleeps wakes on time.
    thread::Builder::new().name("delay".to_owned()).spawn(move || hold(&clock))?;
    loop {
        let Ok((client, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let connection = log.connections.fetch_add(1, Relaxed);
        let (log, due) = (Arc::clone(&log), due.clone());
        tokio::spawn(async move {
            // Without a server the client's connection is closed, which tells it.
            let Ok(server) = TcpStream::connect(server).await else { return };
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            for (from, read, write) in
                [(Dir::Client, from_client, to_server), (Dir::Server, from_server, to_client)]
            {
                let (out, pieces) = unbounded_channel();
                tokio::spawn(take(read, delay, due.clone(), out));
                tokio::spawn(give(write, pieces, Arc::clone(&log), connection, from));
            }
        });
    }
}

/// Bytes with their share of what may be on the way; none at the end of a stream.
type Piece = Option<(Bytes, OwnedSemaphorePermit)>;

/// When something is due, what, and where.
type Due = (Instant, Piece, UnboundedSender<Piece>);

/// Takes what a side writes.
async fn take(mut read: OwnedReadHalf, delay: Duration, due: mpsc::Sender<Due>, out: UnboundedSender<Piece>) {
    let room = Arc::new(Semaphore::new(limits::LAB_LINE_PIECES));
    let mut buffer = vec![0; limits::LAB_READ];
    loop {
        // The semaphore is never closed.
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let piece = match read.read(&mut buffer).await {
            Ok(0) | Err(_) => None,
            Ok(length) => Some((Bytes::copy_from_slice(&buffer[..length]), permit)),
        };
        let is_end = piece.is_none();
        if delay.is_zero() {
            // The receiver may have gone: then there is nobody to tell.
            let _ = out.send(piece);
        } else {
            let _ = due.send((Instant::now() + delay, piece, out.clone()));
        }
        if is_end {
            return;
        }
    }
}

/// Holds pieces until they are due. All are held for the same time, so the first in is the first out.
fn hold(clock: &mpsc::Receiver<Due>) {
    while let Ok((at, piece, out)) = clock.recv() {
        thread::sleep(at.saturating_duration_since(Instant::now()));
        let _ = out.send(piece);
    }
}

/// Gives it to the other side.
async fn give(
    mut write: OwnedWriteHalf,
    mut pieces: UnboundedReceiver<Piece>,
    log: Arc<Log>,
    connection: u32,
    from: Dir,
) {
    while let Some(Some((bytes, permit))) = pieces.recv().await {
        log.arrived(connection, from, &bytes);
        if write.write_all(&bytes).await.is_err() {
            return;
        }
        drop(permit);
    }
    // Dropping the half would close it as well; this says so.
    let _ = write.shutdown().await;
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::lab::stage::Stage;

    /// A server that sends back what it is sent.
    async fn echo(listener: TcpListener) {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 100];
            while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                stream.write_all(&buffer[..read]).await.unwrap();
            }
        }
    }

    #[test]
    fn bytes_are_held_and_counted_in_each_direction() {
        let stage = Stage::start("test").unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let loopback = (Ipv4Addr::LOCALHOST, 0);
            let server = TcpListener::bind(loopback).await.unwrap();
            let listener = stage.run(TcpListener::bind(loopback)).await.unwrap().unwrap();
            let (address, line) = (server.local_addr().unwrap(), listener.local_addr().unwrap());
            tokio::spawn(echo(server));
            let log = Arc::new(Log::default());
            let delay = Duration::from_millis(40);
            let carried = Arc::clone(&log);
            stage.spawn(async move { drop(carry(listener, address, delay, carried).await) });

            let mut client = TcpStream::connect(line).await.unwrap();
            let start = Instant::now();
            client.write_all(b"hello").await.unwrap();
            let mut answer = [0; 5];
            client.read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"hello");
            assert!(start.elapsed() >= 2 * delay, "there and back");
            client.write_all(b"again").await.unwrap();
            client.shutdown().await.unwrap();
            client.read_exact(&mut answer).await.unwrap();
            assert_eq!(client.read(&mut answer).await.unwrap(), 0, "the end comes through as well");

            assert_eq!((log.bytes(), log.connections()), ([10, 10], 1));
            let recording = log.recording().unwrap();
            assert_eq!(recording.bytes, [10, 10]);
            let directions: Vec<Dir> = recording.pieces.iter().map(|(from, _)| *from).collect();
            assert_eq!(directions, [Dir::Client, Dir::Server, Dir::Client, Dir::Server]);
            let pieces = log.take_pieces();
            assert!(pieces.len() == 4 && pieces[1].at - pieces[0].at >= delay);
        });
    }
}
