//! The key logs with which TLS is deciphered.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Look, file, trouble};
use crate::coding::wide::narrowed;
use crate::input::{self, Input};
use crate::limits;
use crate::model::Text;
use crate::tls::Secrets;

/// The variable that names where programs write their secrets to.
pub(super) const VARIABLE: &str = "SSLKEYLOGFILE";

/// Which key logs are read.
#[derive(clap::Args, Clone, Debug, Default)]
pub(super) struct KeyLogs {
    /// Decipher TLS with the secrets of this key log, which programs write where SSLKEYLOGFILE says; may be
    /// given several times. What SSLKEYLOGFILE names is read as well
    #[arg(long = "keylog", value_name = "FILE", help_heading = "Reading")]
    files: Vec<PathBuf>,
}

impl KeyLogs {
    /// Reads all of them, that of the environment, and, once TLS is met, what `inputs` themselves have of
    /// them. Tells what is wrong with some of their lines.
    ///
    /// # Errors
    /// Why a file that was named cannot be read.
    pub(super) fn read(&self, inputs: &[String], look: Look) -> Result<Arc<Secrets>, Text> {
        let mut secrets = Secrets::default();
        let has_packets = inputs.iter().any(|name| name == "-" || file::exists(Path::new(name)));
        for path in &self.files {
            let log = content(path).map_err(|error| trouble::of_file(path, &error))?;
            if log.trim_ascii_start().starts_with(b"-----BEGIN ") {
                let what = "{}: this is a key or a certificate (PEM), and no key log; it deciphers nothing: \
                            have one end log its keys";
                let _ = look.tell("warning: {}", &Text::with(what, path.display()));
                continue;
            }
            let before = secrets.count();
            take(&log, path, &mut secrets, look);
            if secrets.count() == before {
                let what =
                    Text::with("{}: there is no secret in it that TLS is deciphered with", path.display());
                // A broken standard error is no reason to stop.
                let _ = look.tell("warning: {}", &what);
            }
        }
        let named = std::env::var_os(VARIABLE).filter(|name| has_packets && !name.is_empty());
        if let Some(path) = named.map(PathBuf::from)
            && !self.files.contains(&path)
            && let Ok(log) = content(&path)
        {
            let before = secrets.count();
            take(&log, &path, &mut secrets, look);
            let read = secrets.count() - before;
            if read > 0 {
                let what = Text::new("TLS is deciphered with {} secrets of {}, which SSLKEYLOGFILE names");
                let _ = look.tell("note: {}", &what.and(read).and(path.display()));
            }
        }
        let inputs = inputs.to_vec();
        Ok(Arc::new(secrets.or_later(move |secrets| inputs.iter().for_each(|name| ahead(name, secrets)))))
    }
}

/// Captures of at most so many bytes are looked through for secrets when the first connection of TLS is met:
/// programs that write some while they capture have them behind the hellos.
const AHEAD: u64 = 64 * 1024 * 1024;

/// Reads the secrets in a capture that can be read twice.
fn ahead(name: &str, secrets: &mut Secrets) {
    let Ok(opened) = file::open(Path::new(name)) else { return };
    if opened.size.is_some_and(|size| size <= AHEAD)
        && let Ok(Input::Capture(capture)) = input::open(opened.reader, name)
        && capture.format() == "pcapng"
    {
        secrets.read(&capture.into_secrets());
    }
}

fn content(path: &Path) -> io::Result<Vec<u8>> {
    let mut log = Vec::new();
    file::open(path)?.reader.take(limits::KEYLOG).read_to_end(&mut log)?;
    // What was copied by PowerShell's `>` is UTF-16.
    Ok(narrowed(&log).into_owned())
}

fn take(log: &[u8], path: &Path, secrets: &mut Secrets, look: Look) {
    for bad in secrets.read(log) {
        let what = Text::new("{}, line {}: {}").and(path.display()).and(bad.line).word(bad.what);
        let _ = look.tell("warning: {}", &what);
    }
}
