//! The vocabulary every part of the tool speaks: where bytes came from, what
//! they mean, and what is wrong with them.
//!
//! A decoder produces [`Unit`]s; a view is a [`Sink`] of units. A unit holds
//! [`Field`]s (name, bit range, value, meaning, citation) and [`Finding`]s (a
//! [`Rule`] that was broken and where). This layer knows no protocol rule and
//! does no I/O; but for [`json`], it imports the standard library only.

pub mod app;
mod bilingual;
pub mod counts;
mod declare;
pub mod diagnosis;
pub mod distribution;
pub mod ending;
pub mod field;
pub mod film;
pub mod finding;
pub mod grade;
pub mod hole;
pub mod http2;
pub mod json;
pub mod layer;
mod method;
pub mod other;
pub mod out;
mod places;
pub mod quantity;
pub mod reply;
pub mod report;
mod rooms;
pub mod run;
#[cfg(test)]
pub(crate) mod sample;
mod secured;
pub mod single;
pub mod sink;
pub mod software;
pub mod source;
pub mod span;
pub mod stream;
pub mod text;
pub mod time;
pub mod told;
pub mod transport;
pub mod unit;
pub mod verdict;
pub mod wants;
pub mod way;
pub mod went;
mod wire;

pub use app::{
    App, AppPacket, AppSession, Attachment, Heartbeat, Parting, SessionEnd, SessionRef, Streamed,
    StreamedKind, Transport,
};
pub use bilingual::Bilingual;
pub use counts::{FindingCounts, SeverityCounts};
pub(crate) use declare::{fields, optional, role, rules};
pub use diagnosis::{Advice, Diagnosis, Usual};
pub use distribution::Distribution;
pub use ending::{ClosePart, Counts, EndKind, Ending, SideEnd, TcpEnd, Unfinished, Waiting};
pub use field::{Field, FieldDef, Role, Value};
pub use finding::{Cite, Finding, More, Rule, Severity, Who};
pub use hole::{Gap, GapEffect, Hole, Missing, Part};
pub use layer::Layer;
pub use method::METHODS;
pub use other::{Lacking, Opening, Other, QuietEnds, SMALL, SealedRecords, SealedTraffic};
pub use out::{Emitter, ON, Out};
pub(crate) use places::{ByNumber, Places};
pub use reply::{Answer, Failure, Nth, Unanswered};
pub(crate) use rooms::Rooms;
pub use run::{FileTotals, InputFile, Meta, Summary};
pub use secured::Secured;
pub use single::{Meant, Sent, Single};
pub use sink::{Flow, Sink};
pub use software::Software;
pub use source::{Origin, Piece, Place, Source, trace};
pub use span::{SourceId, Span};
pub use stream::{At, FlowId, Interest, Packet, Side, StreamEnd, Unopened, Unreachable};
pub use text::{Arg, Text, line_and_column, prefix, readable};
pub use time::{Sometime, Time};
pub use told::{Account, ToldHead, ToldMessage, ToldStart};
pub use transport::{InVain, KeepAlive, Resent, RoundTrip, Stuck, TcpFacts, TcpSide, ZeroWindow};
pub use unit::{
    Body, CloseBody, Connection, Deflate, Frame, FrameHeader, Handshake, Header, HttpExtent, HttpHead,
    LengthForm, Message, Receipt, Roles, Unit, Utf8, Verdict,
};
pub use verdict::{Case, Judgement, Measure, Outcome, Quantity};
pub use wants::Wants;
pub use way::Way;
pub use wire::{CloseCode, Dir, Endpoint, Opcode};
