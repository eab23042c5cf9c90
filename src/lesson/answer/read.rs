//! The forms in which people type numbers, bytes, options and ranges.

use super::label;
use crate::input::hex;
use crate::lesson::choice::Choice;

/// The parts of a list, whatever parts them.
pub(super) fn separated(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', ' ', '\t', '\n']).filter(|part| !part.is_empty())
}

/// Units that people write right behind a number, and that are no hexadecimal digits.
const UNITS: [&str; 6] = ["ms", "s", "x", "×", "bytes", "bit/s"];

/// `126`, `0x7E`, `0b111`, `65_536`, `65,536`, `65 536`, `126 bytes`, `126.0`, `#126`.
pub(super) fn number(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let lower = lower.strip_prefix('#').unwrap_or(&lower);
    for (prefix, radix) in [("0x", 16), ("0b", 2)] {
        if let Some(digits) = lower.strip_prefix(prefix) {
            return u64::from_str_radix(&digits.replace([' ', '_'], ""), radix).ok();
        }
    }
    let digits = without_unit(lower);
    // As a division is printed by a program.
    let whole = digits.split_once('.').filter(|(_, fraction)| fraction.bytes().all(|b| b == b'0'));
    ungrouped(whole.map_or(digits, |(whole, _)| whole))?.parse().ok()
}

/// A number without the unit or full stop after it; `7e` is no number with a unit.
fn without_unit(text: &str) -> &str {
    let text = text.trim_end_matches(['.', '%', ' ']);
    let digits = text.trim_end_matches(|c: char| c.is_alphabetic() || matches!(c, '/' | '×'));
    let unit = &text[digits.len()..];
    let joined = unit.starts_with(|c: char| c.is_ascii_alphabetic()) && !digits.ends_with(' ');
    if joined && !UNITS.contains(&unit) { text } else { digits.trim_end() }
}

pub(super) fn decimal(text: &str) -> Option<f64> {
    let digits = without_unit(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = fraction.bytes().all(|b| b.is_ascii_digit());
    let whole = if whole.is_empty() { "0".to_owned() } else { ungrouped(whole)? };
    if !plain {
        return None;
    }
    format!("{whole}.{fraction}0").parse().ok()
}

/// Takes the separators out of digits in groups of three.
fn ungrouped(text: &str) -> Option<String> {
    let groups: Vec<&str> = text.split([',', ' ', '_', '\'']).collect();
    let grouped = groups.iter().skip(1).all(|group| group.len() == 3);
    let plain = groups.iter().all(|group| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit()));
    (grouped && plain).then(|| groups.concat())
}

pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    let chunks = hex::parse(text).ok()?;
    Some(chunks.into_iter().flat_map(|chunk| chunk.bytes).collect())
}

/// Letters, ids or whole texts of options, as ids.
pub(super) fn labels(text: &str, options: &[Choice]) -> Option<Vec<String>> {
    let one = |word: &str| {
        let word = word.trim_matches(['(', ')', '.', '<', '>', '-']).to_lowercase();
        let by_letter = options.iter().enumerate().find(|(at, _)| label(*at).to_string() == word);
        by_letter.map(|(_, o)| o).or_else(|| options.iter().find(|o| o.id == word)).map(|o| o.id.clone())
    };
    let whole =
        options.iter().find(|o| [&o.text.en, &o.text.zh].iter().any(|t| t.eq_ignore_ascii_case(text)));
    if let Some(option) = whole {
        return Some(vec![option.id.clone()]);
    }
    let words = text.split([',', ';', ' ', '\t', '\n', '>', '→']);
    let apart: Option<Vec<_>> = words.filter(|word| word.contains(char::is_alphanumeric)).map(one).collect();
    // `cab` is c, a, b.
    apart
        .filter(|ids| !ids.is_empty())
        .or_else(|| text.chars().map(|c| one(c.encode_utf8(&mut [0; 4]))).collect())
}

pub(super) fn is_none(text: &str) -> bool {
    ["none", "nothing", "-", "无", "没有", "都不"].contains(&text.to_lowercase().as_str())
}

/// `0-1, 2-5`, `0..1`, `0 to 1`, `3`, offsets in decimal or `0x` hex.
pub(super) fn ranges(text: &str) -> Option<Vec<(u64, u64)>> {
    let text = text.to_lowercase().replace("..", "-").replace("to", "-").replace(['至', '到', '~'], "-");
    // Spaces around a hyphen do not part two ranges.
    let parts: Vec<&str> = text.split('-').map(str::trim).collect();
    let joined = parts.join("-");
    let mut ranges = separated(&joined)
        .map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some((first, last))
        })
        .collect::<Option<Vec<_>>>()?;
    ranges.sort_unstable();
    Some(ranges)
}
