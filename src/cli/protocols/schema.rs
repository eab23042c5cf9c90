//! Schemas of Protocol Buffers: the files of `--proto` as the decoder has them.

#[cfg(not(feature = "proto"))]
pub(super) use without::read;

#[cfg(feature = "proto")]
pub(super) use with::read;

/// Without the compiler of schemas.
#[cfg(not(feature = "proto"))]
mod without {
    use std::path::PathBuf;

    use crate::app::given::Proto;
    use crate::model::Text;

    /// Says what is missing.
    pub fn read(_: &[PathBuf], _: &[PathBuf], _: &[String]) -> Result<Proto, Text> {
        Err(Text::new("this wstool was built without schemas (feature proto); --proto raw is there"))
    }
}

/// With it.
#[cfg(feature = "proto")]
mod with {
    use std::collections::{HashMap, HashSet};
    use std::io::Read;
    use std::path::{Path, PathBuf};
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

    use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};
    use protox::prost_reflect::{DescriptorPool, ExtensionDescriptor, FieldDescriptor, Kind as Written};
    use protox::{Compiler, Error};

    use crate::app::given::Proto;
    use crate::app::protobuf::Schema;
    use crate::app::protobuf::schema::{EnumType, FieldType, Kind, MessageType};
    use crate::cli::file;
    use crate::cli::protocols::edition::{self, Delimited};
    use crate::limits::DIALECT_FILE;
    use crate::model::Text;

    /// Reads schemas, with what they import from `folders`. `types` are those of messages.
    ///
    /// # Errors
    /// What is wrong with a file, and where, or that there is no such type.
    pub fn read(files: &[PathBuf], folders: &[PathBuf], types: &[String]) -> Result<Proto, Text> {
        let mut folders = folders.to_vec();
        folders.extend(files.iter().filter_map(|file| file.parent().map(Path::to_owned)));
        let mut resolver = ChainFileResolver::new();
        let delimited = Arc::<Mutex<Delimited>>::default();
        resolver.add(Folders { folders, delimited: Arc::clone(&delimited) });
        resolver.add(GoogleFileResolver::new());
        let mut compiler = Compiler::with_file_resolver(resolver);
        compiler.include_source_info(true).include_imports(true);
        let mut own = HashSet::new();
        for file in files {
            compiler.open_file(file).map_err(|error| words(file, &error))?;
        }
        own.extend(compiler.files().filter(|file| !file.is_import()).map(|file| file.name().to_owned()));
        let pool = compiler.descriptor_pool();
        schema(&pool, &own, types, &held(&delimited)).map(|schema| Proto::By(Arc::new(schema)))
    }

    /// Files in folders, or among the samples in the binary.
    struct Folders {
        folders: Vec<PathBuf>,
        /// What files of an edition say besides.
        delimited: Arc<Mutex<Delimited>>,
    }

    impl FileResolver for Folders {
        fn resolve_path(&self, path: &Path) -> Option<String> {
            let inner = self.folders.iter().find_map(|folder| path.strip_prefix(folder).ok())?;
            let parts: Vec<_> = inner.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            Some(parts.join("/"))
        }

        fn open_file(&self, name: &str) -> Result<File, Error> {
            for folder in &self.folders {
                let Ok(opened) = file::open(&folder.join(name)) else { continue };
                let mut text = String::new();
                opened.reader.take(DIALECT_FILE as u64).read_to_string(&mut text)?;
                let text = edition::as_syntax(name, &text, &mut held(&self.delimited)).unwrap_or(text);
                return File::from_source(name, &text);
            }
            Err(Error::file_not_found(name))
        }
    }

    /// What was found out so far; who panicked meanwhile left it whole.
    fn held(delimited: &Mutex<Delimited>) -> MutexGuard<'_, Delimited> {
        delimited.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the compiler says: the file, line and column, and what is wrong there.
    fn words(file: &Path, error: &Error) -> Text {
        // This is how it writes them; its other form has no place.
        let line = format!("{error:?}");
        let mut line = line.lines().next().unwrap_or_default().to_owned();
        if error.is_file_not_found() && !line.contains(".proto:") {
            return Text::with("{}: no such file, or it is in no folder of --proto-path", file.display());
        }
        let has_place = line.split(':').skip(1).any(|part| part.parse::<u32>().is_ok());
        if !has_place {
            line = format!("{}: {line}", file.display());
        }
        if error.is_file_not_found() {
            return Text::with("{}; --proto-path DIR says where imports are", line);
        }
        Text::with("{}", line)
    }

    fn schema(
        pool: &DescriptorPool,
        own: &HashSet<String>,
        types: &[String],
        delimited: &Delimited,
    ) -> Result<Schema, Text> {
        let place: HashMap<String, usize> =
            pool.all_messages().enumerate().map(|(i, it)| (it.full_name().to_owned(), i)).collect();
        let enums: HashMap<String, usize> =
            pool.all_enums().enumerate().map(|(i, it)| (it.full_name().to_owned(), i)).collect();
        let is_group = |field: &FieldDescriptor| {
            let is_between_tags = || {
                let file = field.parent_message().parent_file();
                delimited.fields.contains(field.full_name()) || delimited.files.contains(file.name())
            };
            field.is_group() || !field.is_map() && is_between_tags()
        };
        let field = |field: FieldDescriptor| FieldType {
            number: field.number(),
            name: field.name().to_owned(),
            kind: kind(&field.kind(), is_group(&field), &place, &enums),
            repeated: field.is_list() || field.is_map(),
            map: field.is_map(),
        };
        // Named as in the JSON of Protocol Buffers.
        let extension = |field: ExtensionDescriptor| FieldType {
            number: field.number(),
            name: format!("[{}]", field.full_name()),
            kind: kind(&field.kind(), field.is_group(), &place, &enums),
            repeated: field.is_list() || field.is_map(),
            map: field.is_map(),
        };
        let messages = pool.all_messages().map(|message| MessageType {
            name: message.full_name().to_owned(),
            fields: message.fields().map(field).chain(message.extensions().map(extension)).collect(),
        });
        let values = pool.all_enums().map(|it| EnumType {
            values: it.values().map(|value| (value.number(), value.name().to_owned())).collect(),
        });
        let mut schema =
            Schema { messages: messages.collect(), enums: values.collect(), ..Schema::default() };
        // What is in no other message, and in a file that was named, may be a message by itself.
        let inner: HashSet<usize> = schema
            .messages
            .iter()
            .flat_map(|message| &message.fields)
            .filter_map(|field| match field.kind {
                Kind::Message(place) | Kind::Group(place) => Some(place),
                _ => None,
            })
            .collect();
        let is_own = |place: &usize| {
            pool.all_messages().nth(*place).is_some_and(|it| own.contains(it.parent_file().name()))
        };
        let all: Vec<usize> = (0..schema.messages.len()).filter(is_own).collect();
        let outer: Vec<usize> = all.iter().copied().filter(|place| !inner.contains(place)).collect();
        let roots = if outer.is_empty() { all } else { outer };
        schema.roots = [roots.clone(), roots];
        for written in types {
            let (sides, name) = match written.split_once('=') {
                Some(("client", name)) => (0..1, name),
                Some(("server", name)) => (1..2, name),
                Some((side, _)) => {
                    return Err(
                        Text::with("--message {}: `{}` is neither client nor server", written).and(side)
                    );
                }
                None => (0..2, written.as_str()),
            };
            let known = find(&schema, name).ok_or_else(|| unknown(&schema, name))?;
            schema.roots[sides].fill(vec![known]);
        }
        Ok(schema)
    }

    /// A message by its name, with or without its package.
    fn find(schema: &Schema, name: &str) -> Option<usize> {
        let by = |fits: &dyn Fn(&str) -> bool| schema.messages.iter().position(|it| fits(&it.name));
        by(&|known| known == name)
            .or_else(|| by(&|known| known.strip_suffix(name).is_some_and(|it| it.ends_with('.'))))
    }

    fn unknown(schema: &Schema, name: &str) -> Text {
        let names = schema.messages.iter().map(|it| it.name.as_str());
        let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
        let far = |known: &&str| strsim::osa_distance(&last(known), &last(name));
        match names.clone().min_by_key(far) {
            Some(like) if far(&like) <= 1 + name.len() / 4 => {
                Text::with("--message {}: there is no such message; did you mean `{}`?", name).and(like)
            }
            _ => {
                let of_map = |name: &str| {
                    let outer = name.rsplit_once('.').map_or("", |(outer, _)| outer);
                    name.ends_with("Entry")
                        && schema.messages.iter().filter(|it| it.name == outer).any(|it| {
                            let maps = it.fields.iter().filter(|field| field.map);
                            maps.into_iter().any(|field| match field.kind {
                                Kind::Message(place) => schema.messages[place].name == name,
                                _ => false,
                            })
                        })
                };
                let all = names.filter(|name| !name.starts_with("google.") && !of_map(name));
                let all: Vec<&str> = all.take(16).collect();
                Text::with("--message {}: there is no such message; known are {}", name).and(all.join(", "))
            }
        }
    }

    fn kind(
        written: &Written,
        is_group: bool,
        messages: &HashMap<String, usize>,
        enums: &HashMap<String, usize>,
    ) -> Kind {
        match written {
            Written::Double => Kind::Double,
            Written::Float => Kind::Float,
            Written::Int32 => Kind::Int32,
            Written::Int64 => Kind::Int64,
            Written::Uint32 => Kind::Uint32,
            Written::Uint64 => Kind::Uint64,
            Written::Sint32 => Kind::Sint32,
            Written::Sint64 => Kind::Sint64,
            Written::Fixed32 => Kind::Fixed32,
            Written::Fixed64 => Kind::Fixed64,
            Written::Sfixed32 => Kind::Sfixed32,
            Written::Sfixed64 => Kind::Sfixed64,
            Written::Bool => Kind::Bool,
            Written::String => Kind::String,
            Written::Bytes => Kind::Bytes,
            Written::Enum(it) => enums.get(it.full_name()).map_or(Kind::Int32, |place| Kind::Enum(*place)),
            Written::Message(it) => match messages.get(it.full_name()) {
                Some(place) if is_group => Kind::Group(*place),
                Some(place) => Kind::Message(*place),
                None => Kind::Bytes,
            },
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        /// What stands between tags is a group, whichever way that is said; what is wrong is at its place.
        #[test]
        fn an_edition_is_read() {
            let folder = std::env::temp_dir().join(format!("wstool-edition-{}", std::process::id()));
            std::fs::create_dir_all(&folder).expect("there is room");
            let path = folder.join("demo.proto");
            let read = |text: &str| {
                std::fs::write(&path, text).expect("there is room");
                super::read(std::slice::from_ref(&path), &[], &[])
            };
            let begin = "edition = \"2023\";\npackage demo;\n";
            let two = "message A { int32 n = 1 [features.field_presence = IMPLICIT];\n B b = 2; B c = 3 \
                       [features.message_encoding = DELIMITED]; map<string, B> d = 4; }\nmessage B {}\n";
            let kinds = |proto: Result<Proto, Text>| match proto.map_err(|why| why.to_string()) {
                Ok(Proto::By(schema)) => schema.messages[0]
                    .fields
                    .iter()
                    .map(|field| format!("{:?}", field.kind))
                    .collect::<Vec<_>>(),
                other => panic!("{other:?}"),
            };
            let begins = |kinds: &[String]| -> Vec<String> {
                kinds.iter().map(|kind| kind.split('(').next().unwrap_or_default().to_owned()).collect()
            };
            assert_eq!(
                begins(&kinds(read(&format!("{begin}{two}")))),
                ["Int32", "Message", "Group", "Message"]
            );
            let all = "option features.message_encoding = DELIMITED;\n";
            assert_eq!(
                begins(&kinds(read(&format!("{begin}{all}{two}")))),
                ["Int32", "Group", "Group", "Message"]
            );
            let wrong = read(&format!("{begin}message A {{ int32 n = ; }}")).expect_err("no number");
            assert!(wrong.to_string().contains("demo.proto:3:23"), "{wrong}");
            let _ = std::fs::remove_dir_all(&folder);
        }
    }
}
