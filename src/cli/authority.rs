//! The certificate authority of this user: made once, kept in the user's folder, trusted by whom one tells.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::trouble::of_file;
use super::{Look, folder};
use crate::lab::authority::Authority;
use crate::lab::tls::{self, ServerConfig, Unusable};
use crate::model::Text;

/// Its part of the user's folder.
const FOLDER: &str = "authority";
const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca-key.pem";

/// The authority, and where its certificate is for those who are to trust it.
pub struct Own {
    /// It.
    pub authority: Arc<Authority>,
    /// The file of the certificate.
    pub certificate: PathBuf,
    /// Whether it was made just now, so that nobody can trust it yet.
    pub is_new: bool,
}

impl Own {
    /// What a server at this address speaks TLS with, whichever of its names it is asked for, and for `more`;
    /// inside is one of `alpn`.
    ///
    /// # Errors
    /// Why no certificate can be signed.
    pub fn server(
        &self,
        ours: SocketAddr,
        more: Option<&str>,
        alpn: Vec<Vec<u8>>,
    ) -> Result<Arc<ServerConfig>, Text> {
        let ours = ours.ip().to_string();
        // Who connects to an address asks for no name.
        let mut names: Vec<String> =
            ["localhost", "127.0.0.1", "::1", &ours].into_iter().chain(more).map(str::to_owned).collect();
        names.sort_unstable();
        names.dedup();
        self.authority.server(&names, alpn)
    }
}

/// What TLS a server speaks that listens at `ours`: with the certificate and key of these files, or else,
/// where
/// `own` says so, with those of the own authority. Inside is one of `alpn`.
///
/// # Errors
/// What is wrong with them, in one line.
pub fn secure(
    named: Option<(&Path, &Path)>,
    own: bool,
    ours: SocketAddr,
    alpn: Vec<Vec<u8>>,
    look: Look,
) -> Result<Option<Arc<ServerConfig>>, Text> {
    if let Some((cert, key)) = named {
        let read = |path: &Path| fs::read(path).map_err(|error| of_file(path, &error));
        return tls::server(&read(cert)?, &read(key)?, alpn).map(Some).map_err(|unusable| {
            let file = if matches!(unusable, Unusable::Key(_)) { key } else { cert };
            Text::with("{}: {}", file.display()).word(unusable.why())
        });
    }
    if !own {
        return Ok(None);
    }
    let own = open()?;
    own.tell(false, look).map_err(|error| Text::with("{}", error))?;
    own.server(ours, None, alpn).map(Some)
}

/// Opens the authority; the first time it is made.
///
/// # Errors
/// Why it can be neither read nor made, in one line.
pub fn open() -> Result<Own, Text> {
    open_in(&folder::path()?.join(FOLDER))
}

fn open_in(place: &Path) -> Result<Own, Text> {
    let _turn = folder::turn(place)?;
    let (certificate, key) = (place.join(CERTIFICATE), place.join(KEY));
    let read = |path: &Path| match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(folder::unusable(path, &e)),
    };
    if let (Some(pem), Some(secret)) = (read(&certificate)?, read(&key)?) {
        let authority = Authority::from_pem(&pem, &secret).map_err(|why| {
            Text::with("{}: {}; remove both files to have a new authority made", place.display()).word(why)
        })?;
        return Ok(Own { authority: Arc::new(authority), certificate, is_new: false });
    }
    let authority = Authority::make()?;
    // The key first: a certificate without its key would be believed to be one's own.
    write(&key, authority.key().as_bytes()).map_err(|e| folder::unusable(&key, &e))?;
    write(&certificate, authority.certificate().as_bytes())
        .map_err(|e| folder::unusable(&certificate, &e))?;
    Ok(Own { authority: Arc::new(authority), certificate, is_new: true })
}

/// Writes a file that nobody but its owner may read, whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    // Whose rights it would keep.
    match fs::remove_file(&new) {
        Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(new, path)
}

/// How programs are told to trust it; `{}` is the file of the certificate.
const TRUST: &[(&str, &str)] = &[
    ("curl", "curl --cacert {}"),
    ("Node.js", "NODE_EXTRA_CA_CERTS={} node …"),
    ("Python", "SSL_CERT_FILE={} python …"),
    ("wstool", "wstool connect --cacert {} wss://…"),
    ("Chromium on Linux", "certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n wstool -i {}"),
    ("Firefox", "Settings, Certificates, View Certificates, Authorities, Import: {}"),
    ("Debian, Ubuntu", "sudo cp {} /usr/local/share/ca-certificates/wstool.crt; sudo update-ca-certificates"),
    ("macOS", "security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db {}"),
    ("Windows", "certutil -user -addstore Root {}"),
];

impl Own {
    /// Says on standard error who signs; how to trust it where nobody can know yet, or `all` is asked for.
    ///
    /// # Errors
    /// When standard error cannot be written.
    pub fn tell(&self, all: bool, look: Look) -> io::Result<()> {
        let file = self.certificate.display().to_string();
        let about = if self.is_new {
            "certificates are signed by {}, an authority made just now for you alone: {}"
        } else {
            "certificates are signed by {}, your own authority: {}"
        };
        look.tell("note: {}", &Text::with(about, self.authority.name()).and(&file))?;
        if self.is_new || all {
            let file = if file.contains(' ') { format!("'{file}'") } else { file };
            let heading = "Whom you want to talk to it must be told to trust that file; nobody else does:";
            look.tell("{}", &heading.into())?;
            for (who, how) in TRUST {
                let who = look.lang.words(who);
                writeln!(io::stderr(), "  {who:<18} {}", how.replace("{}", &file))?;
            }
            look.tell(
                "{}",
                &"Keep ca-key.pem to yourself: who has it can pose as any server to them.".into(),
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once_and_its_key_is_secret() {
        let place = std::env::temp_dir().join(format!("wstool-authority-{}", std::process::id()));
        let first = open_in(&place).unwrap();
        let second = open_in(&place).unwrap();
        assert!(first.is_new && !second.is_new);
        assert_eq!(first.authority.certificate(), second.authority.certificate());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(place.join(KEY)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(place.join(KEY), "no key").unwrap();
        let problem = open_in(&place).err().unwrap().to_string();
        assert!(problem.contains("remove both files"), "{problem}");
        fs::remove_dir_all(place).unwrap();
    }
}
