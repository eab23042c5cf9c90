//! For tests: what a decoder makes of the messages of a connection.

use super::dialect::{Decoder, Said};
use crate::model::{App, Dir};

/// What is made of each message, which is text as far as `besides` says nothing else of it, and the rules
/// that are broken.
pub fn apps<B: AsRef<[u8]> + ?Sized>(
    decoder: &mut dyn Decoder,
    messages: &[(Dir, &B)],
    besides: impl for<'a> Fn(usize, Said<'a>) -> Said<'a>,
) -> (Vec<Option<App>>, Vec<&'static str>) {
    let mut found = Vec::new();
    let mut read = |(i, (dir, wire)): (usize, &(Dir, &B))| {
        let said = Said::sample(*dir, i as u64 + 1, true, (*wire).as_ref());
        decoder.read(&besides(i, said), &mut found)
    };
    let apps = messages.iter().enumerate().map(&mut read).collect();
    (apps, found.iter().map(|finding| finding.rule.id).collect())
}

/// The same as the summary of each message, and behind it what it answers.
pub fn lines<B: AsRef<[u8]> + ?Sized>(
    decoder: &mut dyn Decoder,
    messages: &[(Dir, &B)],
    besides: impl for<'a> Fn(usize, Said<'a>) -> Said<'a>,
) -> (Vec<String>, Vec<&'static str>) {
    let (apps, broken) = apps(decoder, messages, besides);
    (apps.iter().map(|app| line(app.as_ref())).collect(), broken)
}

/// A message in a line.
pub fn line(app: Option<&App>) -> String {
    let Some(app) = app else { return "-".to_owned() };
    let answers = app.answers().map(|it| format!(" < {}", it.what));
    std::iter::once(app.summary.to_string()).chain(answers).collect()
}
