//! Options that describe the protocols of messages.

#[cfg(feature = "proto")]
mod edition;
mod schema;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::app::described::{self, Described};
use crate::app::given::{Given, Proto};
use crate::cli::file::open;
use crate::cli::trouble::of_file;
use crate::limits::DIALECT_FILE;
use crate::model::{Text, line_and_column};

/// See the [module](self).
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Protocols {
    /// Read messages as this file describes (TOML, docs/dialect.md); again for each further one
    #[arg(long = "dialect", value_name = "FILE", help_heading = "Protocols")]
    dialects: Vec<PathBuf>,

    /// Read binary messages as Protocol Buffers of this schema (.proto); again for each further file. raw: by
    /// field numbers and wire types
    #[arg(long = "proto", value_name = "FILE|raw", help_heading = "Protocols")]
    schemas: Vec<PathBuf>,

    /// The type of messages, or of one side's: client=chat.Request; without it, the one that fits
    #[arg(long = "message", value_name = "TYPE", requires = "schemas", help_heading = "Protocols")]
    types: Vec<String>,

    /// Where --proto finds what its files import; by default beside them
    #[arg(long = "proto-path", value_name = "DIR", requires = "schemas", help_heading = "Protocols")]
    folders: Vec<PathBuf>,

    /// What they come to.
    #[arg(skip)]
    given: OnceLock<Given>,
}

impl Protocols {
    /// Reads the files, before anything else is done.
    ///
    /// # Errors
    /// What is wrong with one: the file, line and column.
    pub fn load(&self) -> Result<(), Text> {
        let dialects = self.dialects.iter().map(|path| dialect(path)).collect::<Result<_, _>>()?;
        let protobuf = match &self.schemas[..] {
            [] => None,
            [raw] if raw.as_os_str() == "raw" => Some(Proto::Raw),
            files => Some(schema::read(files, &self.folders, &self.types)?),
        };
        let _ = self.given.set(Given { dialects, protobuf });
        Ok(())
    }

    /// What the files come to; nothing before they were read.
    pub fn given(&self) -> Given {
        self.given.get().cloned().unwrap_or_default()
    }

    /// Whether any protocol is described.
    pub fn is_given(&self) -> bool {
        !self.dialects.is_empty() || !self.schemas.is_empty()
    }
}

fn dialect(path: &Path) -> Result<Arc<Described>, Text> {
    let mut text = String::new();
    let read =
        open(path).and_then(|file| file.reader.take(DIALECT_FILE as u64 + 1).read_to_string(&mut text));
    read.map_err(|error| of_file(path, &error))?;
    described::load(&text).map(Arc::new).map_err(|wrong| {
        let (line, column) = line_and_column(&text, wrong.at.start);
        Text::with("{}:{}:{}: {}", path.display()).and(line).and(column).word(wrong.what)
    })
}
