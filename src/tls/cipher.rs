//! Opening protected records: keys from secrets, and what they decipher.
//!
//! ```text
//! TLS 1.3: traffic secret ─► key, iv ─► Opener            (RFC 8446 §7.3, §5.2)
//! TLS 1.2: master secret, randoms ─► key block ─► 2 Openers (RFC 5246 §6.3, §6.2.3)
//! ```
//!
//! Every cipher is of `RustCrypto`; here is only what TLS puts around it.

use aes::Aes128;
use aes::cipher::{Block, BlockCipherEncrypt, BlockModeDecrypt, KeyIvInit};
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use chacha20poly1305::ChaCha20Poly1305;
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha1::Sha1;
use sha2::{Sha256, Sha384};

use super::suite::{Bulk, Hash, Mac, Suite};

/// Bytes of the tag of every cipher here that has one.
const TAG: usize = 16;
/// Bytes of a block of AES.
const BLOCK: usize = 16;
/// Bytes of the nonce that TLS 1.2 sends with each record of AES-GCM (RFC 5288 §3).
const EXPLICIT: usize = 8;

/// Opens the records of one direction, as long as its keys are the same.
pub struct Opener {
    cipher: Cipher,
    /// As much of the nonce as keys say.
    iv: [u8; 12],
    /// How a record is laid out, and what is authenticated besides.
    form: Form,
    /// The number that the next record has.
    pub sequence: u64,
}

enum Cipher {
    Aes128Gcm(Box<Aes128Gcm>),
    Aes256Gcm(Box<Aes256Gcm>),
    ChaCha20Poly1305(Box<ChaCha20Poly1305>),
    Cbc { key: Vec<u8>, mac: Mac, mac_key: Vec<u8>, is_mac_outside: bool },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// TLS 1.3: the header is authenticated, and the type stands inside (RFC 8446 §5.2).
    Inside,
    /// TLS 1.2, with a nonce in each record or without (RFC 5246 §6.2.3.3).
    Outside,
}

/// A record that was opened, into a buffer of the caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Bytes of the record's body that stand before the first that was deciphered.
    pub before: usize,
    /// Bytes of content.
    pub length: usize,
    /// What it carries: in TLS 1.3 as it says inside, else as its header says.
    pub kind: u8,
}

impl Opener {
    /// From a traffic secret of TLS 1.3; `None` where it has not the length that the suite asks for.
    pub fn of_traffic(suite: Suite, secret: &[u8]) -> Option<Self> {
        if secret.len() != suite.hash.length() {
            return None;
        }
        let key = expand(suite.hash, secret, b"key", suite.bulk.key_length())?;
        let iv = expand(suite.hash, secret, b"iv", 12)?;
        Some(Self {
            cipher: Cipher::aead(suite.bulk, &key)?,
            iv: iv.try_into().ok()?,
            form: Form::Inside,
            sequence: 0,
        })
    }

    /// Those of the client and of the server, from a master secret of TLS 1.2 (RFC 5246 §6.3).
    pub fn of_master(
        suite: Suite,
        master: &[u8],
        randoms: [&[u8; 32]; 2],
        is_mac_outside: bool,
    ) -> Option<[Self; 2]> {
        let [client, server] = randoms;
        let (mac, iv) = match suite.bulk {
            Bulk::AesCbc(_, mac) => (mac.length(), 0),
            Bulk::ChaCha20Poly1305 => (0, 12),
            Bulk::Aes128Gcm | Bulk::Aes256Gcm => (0, 4),
        };
        let key = suite.bulk.key_length();
        let seed = [server.as_slice(), client].concat();
        let block = prf(suite.hash, master, b"key expansion", &seed, 2 * (mac + key + iv));
        let part = |from: usize, length: usize, which: usize| &block[from + which * length..][..length];
        let opener = |which: usize| {
            let mac_key = part(0, mac, which);
            let key_bytes = part(2 * mac, key, which);
            let mut nonce = [0; 12];
            nonce[..iv].copy_from_slice(part(2 * (mac + key), iv, which));
            let cipher = match suite.bulk {
                Bulk::AesCbc(_, mac) => {
                    Cipher::Cbc { key: key_bytes.to_vec(), mac, mac_key: mac_key.to_vec(), is_mac_outside }
                }
                bulk => Cipher::aead(bulk, key_bytes)?,
            };
            Some(Self { cipher, iv: nonce, form: Form::Outside, sequence: 0 })
        };
        Some([opener(0)?, opener(1)?])
    }

    /// Opens the record with this header as the `sequence`th, into `into`, which it clears. `None` where it
    /// does not authenticate.
    pub fn open_as(&self, sequence: u64, header: [u8; 5], body: &[u8], into: &mut Vec<u8>) -> Option<Opened> {
        into.clear();
        let before = match (&self.cipher, self.form) {
            (Cipher::Cbc { .. }, _) => return self.open_cbc(sequence, header, body, into),
            (Cipher::ChaCha20Poly1305(_), _) | (_, Form::Inside) => 0,
            _ => EXPLICIT,
        };
        let sealed = body.get(before..)?;
        let plain = sealed.len().checked_sub(TAG)?;
        let mut nonce = self.iv;
        if before > 0 {
            nonce[4..].copy_from_slice(&body[..before]);
        } else {
            for (byte, of_sequence) in nonce[4..].iter_mut().zip(sequence.to_be_bytes()) {
                *byte ^= of_sequence;
            }
        }
        let mut more = [0; 13];
        let associated = if self.form == Form::Inside {
            &header[..]
        } else {
            more = additional(sequence, header, plain);
            &more[..]
        };
        let _ = more;
        into.extend_from_slice(sealed);
        let opened = match &self.cipher {
            Cipher::Aes128Gcm(it) => it.decrypt_in_place(&nonce.into(), associated, into),
            Cipher::Aes256Gcm(it) => it.decrypt_in_place(&nonce.into(), associated, into),
            Cipher::ChaCha20Poly1305(it) => it.decrypt_in_place(&nonce.into(), associated, into),
            Cipher::Cbc { .. } => return None,
        };
        opened.ok()?;
        if self.form == Form::Outside {
            return Some(Opened { before, length: into.len(), kind: header[0] });
        }
        // Padding is zeros behind the type (RFC 8446 §5.4).
        let length = into.iter().rposition(|byte| *byte != 0)?;
        let kind = into[length];
        into.truncate(length);
        Some(Opened { before, length, kind })
    }

    /// Cipher block chaining: each record begins with its initialization vector; the MAC stands inside, or,
    /// if that was agreed on, behind (RFC 5246 §6.2.3.2, RFC 7366 §3).
    fn open_cbc(&self, sequence: u64, header: [u8; 5], body: &[u8], into: &mut Vec<u8>) -> Option<Opened> {
        let Cipher::Cbc { key, mac, mac_key, is_mac_outside } = &self.cipher else { return None };
        let mac_length = if *is_mac_outside { mac.length() } else { 0 };
        let (sealed, tag) = body.split_at_checked(body.len().checked_sub(mac_length)?)?;
        if *is_mac_outside {
            let more = additional(sequence, header, sealed.len());
            mac.verify(mac_key, [&more, sealed], tag)?;
        }
        let (iv, sealed) = sealed.split_at_checked(BLOCK)?;
        if sealed.is_empty() || !sealed.len().is_multiple_of(BLOCK) {
            return None;
        }
        into.extend_from_slice(sealed);
        if key.len() == 16 {
            cbc_in_place(&mut cbc::Decryptor::<aes::Aes128>::new_from_slices(key, iv).ok()?, into);
        } else {
            cbc_in_place(&mut cbc::Decryptor::<aes::Aes256>::new_from_slices(key, iv).ok()?, into);
        }
        let padding = usize::from(*into.last()?) + 1;
        let end = into.len().checked_sub(padding)?;
        if into[end..].iter().any(|byte| usize::from(*byte) + 1 != padding) {
            return None;
        }
        into.truncate(end);
        if !is_mac_outside {
            let length = end.checked_sub(mac.length())?;
            let (content, tag) = into.split_at(length);
            let more = additional(sequence, header, length);
            mac.verify(mac_key, [&more, content], tag)?;
            into.truncate(length);
        }
        Some(Opened { before: BLOCK, length: into.len(), kind: header[0] })
    }

    /// Bytes behind the content of a record of TLS 1.3 that is not padded: its type, and the tag.
    pub const INSIDE: usize = 1 + TAG;

    /// Bytes of a record that are no content, its header included, where they are always as many.
    pub fn overhead(&self) -> Option<u64> {
        match (&self.cipher, self.form) {
            (Cipher::Cbc { .. }, _) => None,
            // The type stands behind the content; padding is hardly ever used.
            (_, Form::Inside) => Some((super::HEADER + Self::INSIDE) as u64),
            (Cipher::ChaCha20Poly1305(_), _) => Some((super::HEADER + TAG) as u64),
            _ => Some((super::HEADER + EXPLICIT + TAG) as u64),
        }
    }
}

/// What TLS 1.2 authenticates besides (RFC 5246 §6.2.3.3).
fn additional(sequence: u64, header: [u8; 5], length: usize) -> [u8; 13] {
    let mut all = [0; 13];
    all[..8].copy_from_slice(&sequence.to_be_bytes());
    all[8..11].copy_from_slice(&header[..3]);
    all[11..].copy_from_slice(&(length as u16).to_be_bytes());
    all
}

fn cbc_in_place<C: BlockModeDecrypt>(cipher: &mut C, bytes: &mut [u8]) {
    for chunk in bytes.chunks_exact_mut(BLOCK) {
        if let Ok(block) = <&mut Block<C>>::try_from(&mut *chunk) {
            cipher.decrypt_block(block);
        }
    }
}

/// The secret that follows on one of TLS 1.3 when its sender updates its keys (RFC 8446 §7.2).
pub fn updated(hash: Hash, secret: &[u8]) -> Option<Vec<u8>> {
    expand(hash, secret, b"traffic upd", hash.length())
}

impl Cipher {
    fn aead(bulk: Bulk, key: &[u8]) -> Option<Self> {
        Some(match bulk {
            Bulk::Aes128Gcm => Self::Aes128Gcm(Box::new(Aes128Gcm::new_from_slice(key).ok()?)),
            Bulk::Aes256Gcm => Self::Aes256Gcm(Box::new(Aes256Gcm::new_from_slice(key).ok()?)),
            Bulk::ChaCha20Poly1305 => {
                Self::ChaCha20Poly1305(Box::new(ChaCha20Poly1305::new_from_slice(key).ok()?))
            }
            Bulk::AesCbc(..) => return None,
        })
    }
}

impl Bulk {
    /// Bytes of a key.
    fn key_length(self) -> usize {
        match self {
            Self::Aes128Gcm => 16,
            Self::Aes256Gcm | Self::ChaCha20Poly1305 => 32,
            Self::AesCbc(length, _) => length,
        }
    }
}

impl Hash {
    /// Bytes of a hash, and of a traffic secret.
    pub fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }
}

impl Mac {
    fn verify(self, key: &[u8], parts: [&[u8]; 2], tag: &[u8]) -> Option<()> {
        let is_right = match self {
            Self::Sha1 => hmac_sha1(key, &parts) == tag,
            Self::Sha256 => hmac_of(Hash::Sha256, key, &parts) == tag,
            Self::Sha384 => hmac_of(Hash::Sha384, key, &parts) == tag,
        };
        is_right.then_some(())
    }
}

fn hmac_sha1(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key) else { return Vec::new() };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

fn hmac_of(hash: Hash, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    match hash {
        Hash::Sha256 => {
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
            for part in parts {
                mac.update(part);
            }
            mac.finalize().into_bytes().to_vec()
        }
        Hash::Sha384 => {
            let Ok(mut mac) = Hmac::<Sha384>::new_from_slice(key) else { return Vec::new() };
            for part in parts {
                mac.update(part);
            }
            mac.finalize().into_bytes().to_vec()
        }
    }
}

/// `HKDF-Expand-Label` with an empty context (RFC 8446 §7.1).
fn expand(hash: Hash, secret: &[u8], label: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut info = (length as u16).to_be_bytes().to_vec();
    info.push((6 + label.len()) as u8);
    info.extend_from_slice(b"tls13 ");
    info.extend_from_slice(label);
    info.push(0);
    let mut out = vec![0; length];
    match hash {
        Hash::Sha256 => Hkdf::<Sha256>::from_prk(secret).ok()?.expand(&info, &mut out).ok()?,
        Hash::Sha384 => Hkdf::<Sha384>::from_prk(secret).ok()?.expand(&info, &mut out).ok()?,
    }
    Some(out)
}

/// What a client's Initial packets of QUIC are protected with (RFC 9001 §5.2, RFC 9369 §3.3).
pub struct Initial {
    cipher: Box<Aes128Gcm>,
    iv: [u8; 12],
    header: Aes128,
}

impl Initial {
    /// From the connection id that the client has made up for the server; in version 2 or 1.
    pub fn of_client(is_two: bool, destination: &[u8]) -> Option<Self> {
        const ONE: [u8; 20] = [
            0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad,
            0xcc, 0xbb, 0x7f, 0x0a,
        ];
        const TWO: [u8; 20] = [
            0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb,
            0xf9, 0xbd, 0x2e, 0xd9,
        ];
        let salt = if is_two { TWO } else { ONE };
        let (initial, _) = Hkdf::<Sha256>::extract(Some(&salt), destination);
        let client = expand(Hash::Sha256, &initial, b"client in", 32)?;
        let [key, iv, header] = if is_two {
            [&b"quicv2 key"[..], b"quicv2 iv", b"quicv2 hp"]
        } else {
            [&b"quic key"[..], b"quic iv", b"quic hp"]
        };
        let of = |label: &[u8], length| expand(Hash::Sha256, &client, label, length);
        Some(Self {
            cipher: Box::new(Aes128Gcm::new_from_slice(&of(key, 16)?).ok()?),
            iv: of(iv, 12)?.try_into().ok()?,
            header: <Aes128 as KeyInit>::new_from_slice(&of(header, 16)?).ok()?,
        })
    }

    /// What the header is covered with (RFC 9001 §5.4.3).
    pub fn mask(&self, sample: &[u8; BLOCK]) -> [u8; BLOCK] {
        let mut block = Block::<Aes128>::from(*sample);
        self.header.encrypt_block(&mut block);
        block.into()
    }

    /// What the packet of this number and header carries.
    pub fn open(&self, number: u64, header: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = self.iv;
        for (byte, of_number) in nonce[4..].iter_mut().zip(number.to_be_bytes()) {
            *byte ^= of_number;
        }
        let mut plain = sealed.to_vec();
        self.cipher.decrypt_in_place(&nonce.into(), header, &mut plain).ok()?;
        Some(plain)
    }
}

/// The pseudorandom function of TLS 1.2 (RFC 5246 §5).
fn prf(hash: Hash, secret: &[u8], label: &[u8], seed: &[u8], length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(length + hash.length());
    let mut a = hmac_of(hash, secret, &[label, seed]);
    while out.len() < length {
        out.extend(hmac_of(hash, secret, &[&a, label, seed]));
        a = hmac_of(hash, secret, &[&a]);
    }
    out.truncate(length);
    out
}
