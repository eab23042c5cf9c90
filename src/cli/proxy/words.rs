//! Why a server cannot be reached, and what to try.

use std::io::ErrorKind;
use std::time::Duration;

use crate::cli::dial::tls;
use crate::cli::dial::words::{Unresolved, refused, unresolved};
use crate::lab::proxy::{Target, Unreached};
use crate::model::Text;

/// Why there is no connection, in one line.
pub(super) fn unreached(target: &Target, why: &Unreached) -> Text {
    match why {
        Unreached::Name(error) => {
            let late = error.kind() == ErrorKind::TimedOut;
            unresolved(&target.host, if late { Unresolved::Late } else { Unresolved::Unknown })
        }
        Unreached::Tcp(address, error) if error.kind() == ErrorKind::TimedOut => {
            Text::with("{} does not answer: check the address and firewalls", address)
        }
        Unreached::Tcp(address, error) => refused(*address, error, Duration::ZERO),
        Unreached::Tls(_, error) => tls::explain(error, &target.host),
    }
}
