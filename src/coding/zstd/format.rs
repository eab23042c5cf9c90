//! What a frame of Zstandard is made of (RFC 8878 §3.1.1), as far as it has to be known to take it apart into
//! blocks.

/// Begins a frame (§3.1.1).
pub const MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// The longest block (§3.1.1.2.4).
pub const BLOCK: usize = 128 * 1024;

/// A last block, raw and empty (§3.1.1.2).
pub const LAST: [u8; 3] = [1, 0, 0];

/// Whether these begin a skippable frame (§3.1.2), the length of which follows in four bytes.
pub fn is_skippable(magic: [u8; 4]) -> bool {
    magic[0] & 0xF0 == 0x50 && magic[1..] == [0x2A, 0x4D, 0x18]
}

/// `Frame_Header_Descriptor` (§3.1.1.1.1): what the rest of a frame's header has, in this order.
#[derive(Clone, Copy, Debug)]
pub struct Descriptor {
    /// Bytes of the window's descriptor.
    pub window: usize,
    /// Bytes of the number of a dictionary.
    pub dictionary: usize,
    /// Bytes of the content's size.
    pub size: usize,
    /// A checksum of four bytes is behind the last block.
    pub has_checksum: bool,
    /// A bit is set that must not be.
    pub is_reserved: bool,
}

impl Descriptor {
    /// Reads it.
    pub fn of(byte: u8) -> Self {
        let is_single = byte & 0x20 != 0;
        Self {
            window: usize::from(!is_single),
            dictionary: [0, 1, 2, 4][usize::from(byte & 3)],
            size: [usize::from(is_single), 2, 4, 8][usize::from(byte >> 6)],
            has_checksum: byte & 0x04 != 0,
            is_reserved: byte & 0x08 != 0,
        }
    }

    /// Bytes of the header behind it.
    pub fn rest(self) -> usize {
        self.window + self.dictionary + self.size
    }
}

/// The header of a block (§3.1.1.2).
#[derive(Clone, Copy, Debug)]
pub struct BlockHeader {
    /// No further one is in the frame.
    pub is_last: bool,
    /// It is of the kind that is none (§3.1.1.2.2).
    pub is_reserved: bool,
    /// Bytes that follow: of a run one, however long it gets.
    pub bytes: usize,
}

impl BlockHeader {
    /// Bytes of it.
    pub const LENGTH: usize = 3;

    /// Reads it.
    pub fn of(header: [u8; Self::LENGTH]) -> Self {
        let [low, middle, high] = header.map(usize::from);
        let kind = low >> 1 & 3;
        let bytes = if kind == 1 { 1 } else { (low | middle << 8 | high << 16) >> 3 };
        Self { is_last: low & 1 == 1, is_reserved: kind == 3, bytes }
    }
}
