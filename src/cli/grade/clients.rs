//! The arguments of `wstool grade --listen`.

use std::path::{Path, PathBuf};

/// How clients are received that are graded.
#[derive(clap::Args, Clone, Debug, Default)]
// The group would be called as that of the command's own options.
#[group(skip)]
pub struct Args {
    /// Grade the clients that come here, by the URLs of the Autobahn testsuite, and browsers by a page: an
    /// address and port, or a port of 127.0.0.1; port 0 takes a free one; with --http2 they come over that
    #[arg(long, value_name = "ADDRESS", conflicts_with = "url", help_heading = "Clients")]
    pub listen: Option<String>,

    /// End when a client has asked for its report, instead of waiting for more
    #[arg(long, requires = "listen", conflicts_with = "url", help_heading = "Clients")]
    pub once: bool,

    /// Speak TLS, with certificates by an authority of your own, made the first time, unless --cert names one
    #[arg(long, requires = "listen", conflicts_with = "url", help_heading = "Clients")]
    pub tls: bool,

    /// The certificate, and those that lead to its authority, in PEM
    #[arg(long, value_name = "FILE", requires = "key", conflicts_with = "url", help_heading = "Clients")]
    pub cert: Option<PathBuf>,

    /// Its key, in PEM
    #[arg(long, value_name = "FILE", requires = "cert", conflicts_with = "url", help_heading = "Clients")]
    pub key: Option<PathBuf>,
}

impl Args {
    /// The files of certificate and key, where they are named.
    pub fn certificate(&self) -> Option<(&Path, &Path)> {
        self.cert.as_deref().zip(self.key.as_deref())
    }
}
