//! xz, stream after stream, with as little delay as the format allows.

use std::io::{self, BufRead, ErrorKind, Read};

use lzma_rust2::{Action, Status, XzStream};

use super::again;
use crate::limits;

/// Unpacks what it reads.
pub(super) struct Xz<R> {
    packed: R,
    stream: XzStream,
    ended: bool,
    /// Why there is no more.
    failed: Option<io::Error>,
}

impl<R: BufRead> Xz<R> {
    pub(super) fn new(packed: R) -> Self {
        let most = limits::UNPACK_WINDOW / 1024 + 1024;
        let stream = XzStream::new_mem_limit(true, most as u32);
        Self { packed, stream, ended: false, failed: None }
    }
}

impl<R: BufRead> Read for Xz<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = &self.failed {
            return Err(again(error));
        }
        while !self.ended && !into.is_empty() {
            let packed = self.packed.fill_buf()?;
            let (have, before) = (packed.len(), self.stream.total_out());
            let action = if have == 0 { Action::Finish } else { Action::Run };
            match self.stream.process(packed, into, action) {
                Ok(step) => {
                    self.packed.consume(step.bytes_consumed);
                    self.ended = step.status == Status::StreamEnd;
                    if step.bytes_produced > 0 {
                        return Ok(step.bytes_produced);
                    }
                    if !self.ended && have == 0 && step.bytes_consumed == 0 {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => {
                    // What was unpacked before is worth having.
                    let count = (self.stream.total_out() - before) as usize;
                    let error = self.failed.insert(if have == 0 {
                        ErrorKind::UnexpectedEof.into()
                    } else {
                        io::Error::new(ErrorKind::InvalidData, error.to_string())
                    });
                    return if (1..=into.len()).contains(&count) { Ok(count) } else { Err(again(error)) };
                }
            }
        }
        Ok(0)
    }
}
