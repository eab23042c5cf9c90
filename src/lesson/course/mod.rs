//! The lessons in their order: what each says (`lessons/`) and who makes its exercises.
//!
//! A lesson's exercises stand in a file of its own, and `kit` and `wire` have what
//! several of them draw.

mod frame;
mod kit;
mod l00;
mod l01;
mod l02;
mod l03;
mod l04;
mod l05;
mod l06;
mod l07;
mod l08;
mod l09;
mod l10;
mod l11;
mod l12;
mod l13;
mod l14;
mod wire;

use super::instance::Make;

/// Where a lesson comes from.
pub(super) struct Source {
    /// Its folder in `lessons/`.
    pub(super) slug: &'static str,
    pub(super) toml: &'static str,
    pub(super) en: &'static str,
    pub(super) zh: &'static str,
    pub(super) makes: &'static [Make],
}

macro_rules! lessons {
    ($($slug:literal $makes:expr;)*) => {
        &[$(Source {
            slug: $slug,
            toml: include_str!(concat!("../../../lessons/", $slug, "/lesson.toml")),
            en: include_str!(concat!("../../../lessons/", $slug, "/en.md")),
            zh: include_str!(concat!("../../../lessons/", $slug, "/zh.md")),
            makes: $makes,
        }),*]
    };
}

pub(super) static SOURCES: &[Source] = lessons! {
    "00-hello-bytes" l00::EXERCISES;
    "01-upgrade" l01::EXERCISES;
    "02-key-and-accept" l02::EXERCISES;
    "03-first-two-bytes" l03::EXERCISES;
    "04-lengths" l04::EXERCISES;
    "05-masking" l05::EXERCISES;
    "06-stream-frames-messages" l06::EXERCISES;
    "07-utf8" l07::EXERCISES;
    "08-ping-pong-timeouts" l08::EXERCISES;
    "09-closing" l09::EXERCISES;
    "10-origin-proxies-security" l10::EXERCISES;
    "11-negotiation-and-compression" l11::EXERCISES;
    "12-polling-against-push" l12::EXERCISES;
    "13-socketio" l13::EXERCISES;
    "14-chat-and-a-million" l14::EXERCISES;
    "15-capstone" &[];
};
