//! What other tools call the options that `decode` has, or does without.

/// What an option of another tool is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Its value is an input.
    Input,
    /// Its value is a display filter.
    Filter,
    /// Its value is an interface, or all of them are meant.
    Interface,
    /// Its value is a filter for whoever captures.
    CaptureFilter,
    /// Its value is an endpoint's address or name.
    Host,
    /// Its value is a port.
    Port,
    /// The format of the output.
    Format,
    /// Statistics of many kinds.
    Statistics,
    /// These options, whatever the value was.
    Options(&'static [&'static str]),
    /// This option with the same value.
    Valued(&'static str),
    /// Letters are not to be told apart by case.
    IgnoreCase,
    /// Where the results are to go.
    Output,
    /// It is so without being asked for.
    Anyway,
}

/// Options and what they mean; `true` for those that have a value.
const NAMES: &[(&[&str], bool, Meaning)] = &[
    (&["-r", "--read", "--read-file", "--file", "--input", "--pcap"], true, Meaning::Input),
    (&["-Y", "-R", "--display-filter", "--filter"], true, Meaning::Filter),
    (&["-i", "--interface", "--iface"], true, Meaning::Interface),
    (&["-D", "--list-interfaces"], false, Meaning::Interface),
    (&["--host", "--ip", "--address"], true, Meaning::Host),
    (&["-p", "--port"], true, Meaning::Port),
    (&["-T"], true, Meaning::Format),
    (&["--json"], false, Meaning::Options(&["--format", "json"])),
    (&["--ndjson", "--jsonl"], false, Meaning::Options(&["--format", "ndjson"])),
    (&["-j", "-J", "-e", "-E"], true, Meaning::Options(&["--format", "ndjson"])),
    (&["-z"], true, Meaning::Statistics),
    (&["--stats", "--stat", "--statistics", "--summary"], false, Meaning::Options(&["--view", "stats"])),
    (&["-q", "-Q", "--quiet", "--silent"], false, Meaning::Options(&["--view", "stats"])),
    (&["--follow"], false, Meaning::Options(&["--stream", "1", "--view", "messages"])),
    (&["-x", "-X", "-xx", "-XX", "--hex"], false, Meaning::Options(&["--view", "hex"])),
    (&["-A", "-O", "--messages", "--print"], false, Meaning::Options(&["--view", "messages"])),
    (&["-P", "--list", "--table"], false, Meaning::Options(&["--view", "table"])),
    (&["-c", "--count"], true, Meaning::Valued("--limit")),
    (&["--search"], true, Meaning::Valued("--grep")),
    (&["--errors", "--expert"], false, Meaning::Options(&["--findings"])),
    (&["--no-color", "--no-colour"], false, Meaning::Options(&["--color", "never"])),
    (&["-w", "--out"], true, Meaning::Output),
    (&["-l", "-U", "-nn", "-N", "--line-buffered"], false, Meaning::Anyway),
    (&["-V", "-vv", "-vvv", "--verbose"], false, Meaning::Anyway),
];

/// What an option of another tool is here, and whether it has a value.
pub(super) fn meaning(option: &str) -> Option<(bool, Meaning)> {
    let (_, has_value, meaning) = NAMES.iter().find(|(names, ..)| names.contains(&option))?;
    Some((*has_value, *meaning))
}

/// What a value of an option that exists here says in another tool's language.
pub(super) fn value(option: &str, value: &str) -> Option<Meaning> {
    Some(match (option, value) {
        ("-t" | "--time", "a" | "ad" | "ado" | "u" | "ud" | "e") => Meaning::Options(&["--time", "utc"]),
        ("-t" | "--time", "d" | "dd") => Meaning::Options(&["--time", "delta"]),
        ("-t" | "--time", "r") => Meaning::Options(&["--time", "relative"]),
        ("-f", filter) if filter.contains(' ') => Meaning::CaptureFilter,
        ("-o" | "--opcode", file) if file.contains('.') && !file.contains(':') => Meaning::Output,
        _ => return None,
    })
}

/// The format of records that comes nearest to one of `tshark -T`.
pub(super) fn format(name: &str) -> Option<&'static str> {
    Some(match name {
        "json" | "jsonraw" | "pdml" | "psml" => "json",
        "ek" | "fields" | "tabs" => "ndjson",
        "text" | "ps" => "text",
        _ => return None,
    })
}

/// The view that comes nearest to what `tshark -z` counts.
pub(super) fn statistics(name: &str) -> &'static [&'static str] {
    match name.split(',').next() {
        Some("follow") => &["--stream", "1", "--view", "messages"],
        Some("expert") => &["--findings"],
        _ => &["--view", "stats"],
    }
}
