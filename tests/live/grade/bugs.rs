//! Bugs that are planted; `planted.toml` says which case is meant to find each, and what has to be said.

use std::collections::BTreeMap;

use serde::Deserialize;
use wstool::model::Dir;

/// Makes the list of bugs.
macro_rules! bugs {
    ($($(#[$doc:meta])* $name:ident)*) => {
        /// What is wrong with an endpoint.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Bug {
            /// Nothing.
            None,
            /// Nothing, though pings that came with a Close frame are answered behind the answer to that.
            PongsAfterClose,
            $($(#[$doc])* $name,)*
        }

        impl Bug {
            /// All that are any.
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

bugs! {
    /// The 16-bit length is read as little-endian.
    LengthLittleEndian
    /// The same of the 64-bit length.
    Length64LittleEndian
    /// The 16-bit length is read as a signed number, and the program dies of a negative one.
    LengthSigned
    /// Of the 64-bit length 32 bits are looked at.
    Length64As32
    /// Of the 64-bit length 16 bits are looked at.
    Length64As16
    /// 126 is taken for the beginning of a 64-bit length.
    Read126As64
    /// It knows no length but that of seven bits, and reads it as that.
    ReadsSevenBits
    /// 126 bytes are announced in the seven bits that mean "the next two".
    Writes126InSeven
    /// The same up to 127.
    Writes127InSeven
    /// 65,536 bytes are announced in 16 bits, as 0.
    Writes65536InSixteen
    /// Each length is written in 64 bits.
    WritesAlways64
    /// The 16-bit length is written as little-endian.
    WritesLittleEndian
    /// A length whose top bit is set makes it loop for ever.
    HangsOnTopBit
    /// 64 KiB are too much for it.
    CrashesOnBig
    /// A buffer of 4096 bytes cuts what is longer.
    BufferOf4096
    /// Payloads are not unmasked.
    NotUnmasked
    /// Nor is what is in them looked at.
    RawEchoed
    /// The masking key is read as a little-endian number, and used as a big-endian one.
    MaskReversed
    /// The masking key begins anew with each read.
    MaskPerRead
    /// Whether frames are masked is not looked at.
    MaskUnchecked
    /// A server masks; a client does not.
    MaskOtherwise
    /// It masks from the key's second byte on.
    MasksFromSecond
    /// Messages of no bytes are not answered.
    EmptyDropped
    /// Binary messages come back as text.
    BinaryAsText
    /// Text comes back as binary messages.
    TextAsBinary
    /// Text comes back with a line end.
    NewlineAdded
    /// Text ends at its first NUL.
    CStrings
    /// Each message comes back twice.
    EchoTwice
    /// Each fragment is taken for a message.
    FinIgnored
    /// FIN is never set in what is sent.
    FinNeverSet
    /// A message in fragments comes back with the opcode of its last frame.
    ContinuationEchoed
    /// A continuation of nothing is taken for text.
    ContinuationOfNothing
    /// A new message may begin within another.
    NewMessageInFragments
    /// A control frame between fragments makes those before it forgotten.
    ControlDropsFragments
    /// Control frames may be fragments.
    ControlInFragments
    /// Of a message in fragments the last one comes back.
    LastFragmentOnly
    /// Of a message in fragments the last one is lost.
    FirstFragmentOnly
    /// A payload is what one read gives.
    PayloadInOneRead
    /// Of what a read gives only the first frame is looked at.
    OneFrameARead
    /// A header that comes in two reads is the end of it.
    HeaderInOneRead
    /// Pings are not answered.
    PingIgnored
    /// Pings are answered when the message is whole.
    PingBetweenMessages
    /// A ping is answered with a ping.
    PingEchoed
    /// Pongs have no payload.
    PongEmpty
    /// Pongs have at most 124 bytes.
    PongCut
    /// A pong is answered with a pong.
    PongAnswered
    /// Control frames of more than 125 bytes are taken.
    LongControl
    /// RSV1 to RSV3 are not looked at.
    ReservedBitsIgnored
    /// Frames with opcodes that mean nothing are passed over.
    ReservedOpcodesIgnored
    /// The same are refused, with the code for kinds of data.
    ReservedOpcodesWith1003
    /// Text is not checked.
    TextUnchecked
    /// Each fragment has to be text of its own.
    TextPerFragment
    /// What is no text is replaced by U+FFFD.
    TextRepaired
    /// Text is read as Latin-1.
    TextAsLatin1
    /// Text may end within a character.
    CutTextAccepted
    /// Surrogates are let through.
    SurrogatesAccepted
    /// Overlong forms are let through.
    OverlongAccepted
    /// Characters beyond U+10FFFF are let through.
    BeyondUnicodeAccepted
    /// On Close it ends TCP.
    CloseUnanswered
    /// Close means nothing to it.
    CloseIgnored
    /// Each Close is answered with 1002.
    ClosesWith1002
    /// Close is answered twice.
    ClosesTwice
    /// A Close without a code is answered with 1005.
    Sends1005
    /// The reason comes back, cut within a character.
    ReasonCut
    /// The reason may be anything.
    ReasonUnchecked
    /// A Close of one byte is taken.
    CloseOfOneByte
    /// Any code is taken.
    CodesUnchecked
    /// What follows Close is still sent back.
    EchoesAfterClose
    /// It never ends TCP.
    TcpKept
    /// On errors it ends TCP and says nothing.
    ErrorsWithoutClose
    /// On errors it closes with 1000.
    ErrorsWith1000
    /// On errors it closes with 1006.
    ErrorsWith1006
    /// Text that is none is refused with 1002.
    TextErrorsWith1002
    /// The accept value is the Base64 of hexadecimal digits.
    AcceptOfHex
    /// The accept value is made of the key alone.
    AcceptWithoutGuid
    /// The GUID is in lower case.
    AcceptGuidLowerCase
    /// The key is hashed with its line end.
    AcceptKeyWithLineEnd
    /// The key is sent back.
    AcceptIsKey
    /// It opens the WebSocket with 200.
    Answers200
    /// No empty line ends the answer's head.
    HeadNotEnded
    /// The answer has no Upgrade.
    AnswersWithoutUpgrade
    /// The answer has no Connection.
    AnswersWithoutConnection
    /// Names of header fields have to be written as in the RFC.
    NamesCaseSensitive
    /// Connection has to be one word.
    ListsNotSplit
    /// Upgrade has to be written as usual.
    TokensCaseSensitive
    /// Any version will do.
    VersionUnchecked
    /// Any key will do, also none.
    KeyUnchecked
    /// Any method will do.
    MethodUnchecked
    /// Host need not be there.
    HostUnchecked
    /// Upgrade need not be there.
    UpgradeUnchecked
    /// Connection need not be there.
    ConnectionUnchecked
    /// Any status opens the WebSocket.
    StatusUnchecked
    /// Any accept value will do.
    AcceptUnchecked
    /// All subprotocols that were offered come back.
    SubprotocolsEchoed
    /// A subprotocol is named that nobody offered.
    SubprotocolInvented
    /// A subprotocol may be named that was not offered.
    SubprotocolUnchecked
    /// An extension may be named that was not offered.
    ExtensionUnchecked
    /// Extensions that were offered come back, and mean nothing to it.
    ExtensionEchoed
    /// Parameters of permessage-deflate may be anything.
    ParametersUnchecked
    /// What came in one read with the handshake is lost.
    DropsGlued
    /// A head that comes in two reads is refused.
    HeadInOneRead
    /// The window is kept, though it is agreed that it is not.
    TakeoverIgnored
    /// The window is 32 KiB, whatever was agreed.
    WindowIgnored
    /// The sender's window is forgotten behind each message.
    InflaterReset
    /// Messages are inflated that are not compressed.
    InflatesAll
    /// Text is not checked where it was compressed.
    InflatedTextUnchecked
    /// What a message inflates to has no limit.
    InflatesWithoutLimit
    /// What a message inflates to is cut behind a guess.
    InflatesIntoGuess
    /// Answers wait without a limit for a peer that does not read.
    AnswersQueued
    /// RSV1 is set on each fragment.
    Rsv1OnFragments
    /// RSV1 is set on control frames.
    Rsv1OnControl
    /// The key has 8 bytes.
    KeyTooShort
    /// The key is hexadecimal.
    KeyIsHex
    /// It asks for version 8.
    AsksForVersion8
    /// The request has no Host.
    AsksWithoutHost
    /// The request has no Connection.
    AsksWithoutConnection
}
/// A bug, planted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planted {
    /// What is wrong, as in [`Bug`].
    bug: String,
    /// Whether a server or a client has it.
    peer: String,
    /// Cases that are played: the name of a list, or ids and Autobahn's numbers.
    played: Vec<String>,
    /// The case that is meant to find it.
    pub caught: String,
    /// How many of the cases fail, at most.
    pub most: usize,
    /// What has to be said.
    pub says: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    /// Cases in which some kind of mistakes shows.
    lists: BTreeMap<String, Vec<String>>,
    planted: Vec<Planted>,
}

/// Each bug, and what is meant to find it.
pub fn planted() -> Vec<Planted> {
    let text = std::fs::read_to_string("tests/live/grade/planted.toml").expect("the table");
    let table: Table = toml::from_str(&text).unwrap_or_else(|error| panic!("planted.toml: {error}"));
    let mut planted = table.planted;
    for one in &mut planted {
        one.played = one
            .played
            .iter()
            .flat_map(|name| table.lists.get(name).cloned().unwrap_or_else(|| vec![name.clone()]))
            .collect();
    }
    planted
}

impl Planted {
    pub fn bug(&self) -> Bug {
        let find = |bug: &&Bug| format!("{bug:?}") == self.bug;
        *Bug::ALL.iter().find(find).unwrap_or_else(|| panic!("there is no bug `{}`", self.bug))
    }

    pub fn peer(&self) -> Dir {
        if self.peer == "client" { Dir::Client } else { Dir::Server }
    }

    pub fn played(&self) -> Vec<String> {
        self.played.clone()
    }
}
