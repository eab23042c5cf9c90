//! What clap finds wrong with a command line, in a line of the learner's language.

use std::error::Error as _;

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::lang::Lang;
use crate::model::Text;

/// What is wrong, and what may have been meant; `None` where clap's own words have to do.
pub(super) fn text(error: &Error, lang: Lang) -> Option<Text> {
    let one = |kind| match error.get(kind) {
        Some(ContextValue::String(value)) => Some(value.clone()),
        Some(ContextValue::Number(number)) => Some(number.to_string()),
        Some(ContextValue::Strings(values)) if !values.is_empty() => Some(values.join(lang.words(", "))),
        _ => None,
    };
    let arg = one(ContextKind::InvalidArg).unwrap_or_default();
    let value = one(ContextKind::InvalidValue).unwrap_or_default();
    // Of several the one that is most alike comes last.
    let meant = |kind| {
        let best = match error.get(kind)? {
            ContextValue::String(best) => best,
            ContextValue::Strings(list) => list.last()?,
            _ => return None,
        };
        Some(Text::with("did you mean {}?", best))
    };
    let valid = one(ContextKind::ValidValue);
    Some(match error.kind() {
        ErrorKind::UnknownArgument => {
            let what = Text::with("there is no argument {} here", arg);
            and(what, meant(ContextKind::SuggestedArg).or_else(|| meant(ContextKind::SuggestedSubcommand)))
        }
        ErrorKind::InvalidSubcommand => {
            let name = one(ContextKind::InvalidSubcommand).unwrap_or_default();
            and(Text::with("there is no command {}", name), meant(ContextKind::SuggestedSubcommand))
        }
        ErrorKind::MissingSubcommand => {
            let names = one(ContextKind::ValidSubcommand).unwrap_or_default();
            Text::with("a command is missing: {}", names)
        }
        ErrorKind::MissingRequiredArgument => Text::with("this is missing: {}", arg),
        ErrorKind::InvalidValue if value.is_empty() => {
            let what = Text::with("{} needs a value", arg);
            and(what, valid.map(|valid| Text::with("one of {}", valid)))
        }
        ErrorKind::InvalidValue => {
            let what = Text::with("{} is no value of {}", value).and(arg);
            let meant = meant(ContextKind::SuggestedValue);
            and(and(what, valid.map(|valid| Text::with("one of {}", valid))), meant)
        }
        ErrorKind::ValueValidation => {
            let what = Text::with("{} is no value of {}", value).and(arg);
            and(what, error.source().map(|why| reason(&why.to_string(), lang)))
        }
        ErrorKind::ArgumentConflict if one(ContextKind::PriorArg).is_some_and(|prior| prior == arg) => {
            Text::with("{} is given twice", arg)
        }
        ErrorKind::ArgumentConflict => {
            let prior = one(ContextKind::PriorArg)?;
            Text::with("{} and {} do not go together", arg).and(prior)
        }
        ErrorKind::TooManyValues => Text::with("{} is one value too many for {}", value).and(arg),
        ErrorKind::TooFewValues => {
            let wanted = one(ContextKind::MinValues).unwrap_or_default();
            Text::with("{} has too few values: {} are wanted", arg).and(wanted)
        }
        ErrorKind::WrongNumberOfValues => {
            let wanted = one(ContextKind::ExpectedNumValues).unwrap_or_default();
            Text::with("{} has another number of values: {} are wanted", arg).and(wanted)
        }
        ErrorKind::NoEquals => Text::with("between {} and its value stands an equals sign", arg),
        ErrorKind::InvalidUtf8 => Text::new("an argument is not in UTF-8"),
        _ => return None,
    })
}

fn and(what: Text, more: Option<Text>) -> Text {
    match more {
        Some(more) => what.then(more),
        None => what,
    }
}

/// Why a value was refused: in words of the tool, or those of a parser of numbers.
fn reason(english: &str, lang: Lang) -> Text {
    const NUMBERS: [&str; 4] = [
        "invalid digit found in string",
        "cannot parse integer from empty string",
        "invalid float literal",
        "cannot parse float from empty string",
    ];
    const TOO_LARGE: [&str; 2] =
        ["number too large to fit in target type", "number too small to fit in target type"];
    if NUMBERS.contains(&english) {
        return Text::new("a number is wanted");
    }
    if TOO_LARGE.contains(&english) {
        return Text::new("the number is too large");
    }
    if let Some((low, high)) =
        english.split_once(" is not from ").and_then(|(_, range)| range.split_once(" to "))
    {
        return Text::with("a number from {} to {} is wanted", low).and(high);
    }
    if let Some((_, least)) = english.split_once(" is less than ") {
        return Text::with("a number of at least {} is wanted", least);
    }
    if let Some((_, range)) = english.split_once(" is not in ") {
        let (low, high) = range.split_once("..").unwrap_or((range, ""));
        // clap writes both `1..=100` and `1..101`.
        return match (low.parse::<u64>(), high.strip_prefix('='), high.parse::<u64>()) {
            (Ok(low), Some(high), _) => Text::with("a number from {} to {} is wanted", low).and(high),
            (Ok(low), None, Ok(high)) => {
                Text::with("a number from {} to {} is wanted", low).and(high.saturating_sub(1))
            }
            _ => Text::with("a number in {} is wanted", range),
        };
    }
    if let Some((last, first)) = english.split_once(" comes before ") {
        return Text::with("{} comes before {}", last).and(first);
    }
    if let Some(names) = english.strip_prefix("one of ") {
        return Text::with("one of {}", names);
    }
    if let Some(other) = english.strip_suffix(", or all") {
        return Text::with("{}, or all", lang.say(&reason(other, lang)));
    }
    if english.starts_with("regex parse error") {
        // Its picture of the place takes several lines; the last says what is wrong.
        let why = english.lines().last().unwrap_or_default();
        return Text::with("this is no regular expression: {}", why.trim_start_matches("error: "));
    }
    let theirs = lang.catalogue().and_then(|words| words.get(english)).unwrap_or(english);
    Text::with("{}", theirs)
}
