//! The keys of TLS connections, appended to a key log as browsers and curl write it: for Wireshark, and for
//! `wstool decode --keylog`.
//!
//! The format is NSS's (RFC 9850): a line a secret, with what it is for and the random of the
//! client hello of its connection.

use std::env;
use std::fmt::{self, Write as _};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::{ClientConfig, KeyLog};

use crate::cli::Look;
use crate::cli::keylog::VARIABLE;
use crate::cli::trouble::of_file;
use crate::model::Text;

/// The option of every command that speaks TLS.
#[derive(clap::Args, Clone, Debug, Default)]
#[group(skip)]
pub struct Args {
    /// Append the keys of TLS connections to this file, for decode --keylog and Wireshark; by default to the
    /// one that `SSLKEYLOGFILE` names
    #[arg(long, value_name = "FILE", help_heading = "Result")]
    pub keylog: Option<PathBuf>,
}

/// Where keys go. Clones write to the same place; the default one to none.
#[derive(Clone, Debug, Default)]
pub struct Keylog(Option<Arc<Keys>>);

/// Somebody else who is told of each line.
pub type Told = Box<dyn Fn(&str) + Send + Sync>;

struct Keys {
    file: Mutex<File>,
    told: Option<Told>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Opens the file that was named, or the one of the environment, which is said on standard error. Whoever
/// else wants them is `told` of the keys.
///
/// # Errors
/// Why it cannot be written.
pub fn open(named: Option<&Path>, told: Option<Told>, look: Look) -> Result<Keylog, Text> {
    let variable = || env::var_os(VARIABLE).filter(|name| !name.is_empty()).map(PathBuf::from);
    let Some(path) = named.map(Path::to_owned).or_else(variable) else { return Ok(Keylog::default()) };
    let file = match append(&path) {
        Ok(file) => file,
        Err(error) if named.is_some() => return Err(of_file(&path, &error)),
        Err(error) => {
            // As browsers do: what somebody set for other programs is no reason not to connect.
            let words = Text::with("no keys are logged: {} names {}", VARIABLE);
            let _ = look.tell("note: {}", &words.word(of_file(&path, &error)));
            return Ok(Keylog::default());
        }
    };
    if named.is_none() {
        let words = "the keys of TLS go to {}, which {} names";
        // A broken standard error is no reason to stop.
        let _ = look.tell("note: {}", &Text::with(words, path.display()).and(VARIABLE));
    }
    Ok(Keylog(Some(Arc::new(Keys { file: Mutex::new(file), told }))))
}

impl Keylog {
    /// Has a client's keys logged.
    pub fn client(&self, config: &mut ClientConfig) {
        if let Some(keys) = self.keys() {
            config.key_log = keys;
        }
    }

    /// For whom TLS is configured otherwise.
    pub fn keys(&self) -> Option<Arc<dyn KeyLog>> {
        self.0.clone().map(|keys| keys as Arc<dyn KeyLog>)
    }
}

impl KeyLog for Keys {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let line = line(label, client_random, secret);
        // One write a line, for others may append to the same file. Where that fails, TLS goes on without.
        let _ = self.file.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes());
        if let Some(told) = &self.told {
            told(&line);
        }
    }
}

/// A file to append to. A new one nobody but its owner may read.
fn append(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn line(label: &str, client_random: &[u8], secret: &[u8]) -> String {
    let mut line = label.to_owned();
    for bytes in [client_random, secret] {
        line.push(' ');
        for byte in bytes {
            // Writing to a string does not fail.
            let _ = write!(line, "{byte:02x}");
        }
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_a_line_of_its_own() {
        assert_eq!(line("CLIENT_RANDOM", &[0xAB; 2], &[0, 1]), "CLIENT_RANDOM abab 0001\n");
    }

    #[test]
    fn lines_are_appended_to_a_file_that_is_its_owners() {
        let path = env::temp_dir().join(format!("wstool-keylog-{}", std::process::id()));
        for secret in [[1], [2]] {
            let keys = Keys { file: Mutex::new(append(&path).unwrap()), told: None };
            keys.log("A", &[0], &secret);
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "A 00 01\nA 00 02\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        std::fs::remove_file(path).unwrap();
    }
}
