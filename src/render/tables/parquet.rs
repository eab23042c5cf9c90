//! A file of Parquet: row groups of a table, and what the file says of itself.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{Compression, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, Type, TypePtr};

use super::batch::{Batch, Data, Values};
use super::{Column, Kind, SCHEMA, Table};
use crate::render::json::TOOL;

/// What the metadata of a file say besides the schema's name.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The capture's name.
    pub capture: String,
    /// Why the capture was not read to its end; `None` where it was.
    pub error: Option<String>,
}

/// A file that is being written.
pub(super) struct File {
    writer: SerializedFileWriter<Box<dyn Write + Send>>,
}

impl File {
    pub fn new(table: &Table, out: Box<dyn Write + Send>) -> io::Result<Self> {
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(TOOL.to_owned())
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::Chunk);
        for column in table.columns {
            let path = match column.kind {
                Kind::Words => vec![column.name.to_owned(), "list".to_owned(), "element".to_owned()],
                _ => vec![column.name.to_owned()],
            };
            let path = ColumnPath::new(path);
            properties = match column.kind {
                Kind::Word | Kind::Words => properties.set_column_dictionary_enabled(path, true),
                Kind::Time | Kind::Int => properties.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED),
                _ => properties,
            };
        }
        let schema = schema(table).map_err(told)?;
        let writer = SerializedFileWriter::new(out, schema, Arc::new(properties.build())).map_err(told)?;
        Ok(Self { writer })
    }

    /// Writes the rows as a row group.
    pub fn write(&mut self, batch: &mut Batch) -> io::Result<()> {
        if batch.rows == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group().map_err(told)?;
        for values in &mut batch.columns {
            let Some(mut column) = group.next_column().map_err(told)? else { break };
            put(column.untyped(), values).map_err(told)?;
            column.close().map_err(told)?;
        }
        group.close().map_err(told)?;
        batch.clear();
        Ok(())
    }

    /// Ends the file.
    pub fn end(mut self, table: &Table, about: &About) -> io::Result<()> {
        let complete = about.error.is_none().to_string();
        let mut say = |key: &str, value: &str| {
            self.writer.append_key_value_metadata(KeyValue::new(key.to_owned(), value.to_owned()));
        };
        say("wstool.schema", SCHEMA);
        say("wstool.table", table.name);
        say("wstool.capture", &about.capture);
        say("wstool.complete", &complete);
        if let Some(error) = &about.error {
            say("wstool.error", error);
        }
        self.writer.close().map(drop).map_err(told)
    }
}

fn put(writer: &mut ColumnWriter<'_>, values: &mut Values) -> Result<(), ParquetError> {
    let levels = Some(&*values.levels);
    let repeats = (!values.repeats.is_empty()).then_some(&*values.repeats);
    match (writer, &mut values.data) {
        (ColumnWriter::BoolColumnWriter(writer), Data::Bools(data)) => {
            writer.write_batch(data, levels, None).map(drop)
        }
        (ColumnWriter::Int64ColumnWriter(writer), Data::Ints(data)) => {
            writer.write_batch(data, levels, None).map(drop)
        }
        (ColumnWriter::DoubleColumnWriter(writer), Data::Reals(data)) => {
            writer.write_batch(data, levels, None).map(drop)
        }
        (ColumnWriter::ByteArrayColumnWriter(writer), Data::Bytes(bytes, ends)) => {
            let bytes = ByteArray::from(std::mem::take(bytes));
            let starts = std::iter::once(&0).chain(&*ends);
            let data: Vec<ByteArray> =
                starts.zip(&*ends).map(|(start, end)| bytes.slice(*start, end - start)).collect();
            writer.write_batch(&data, levels, repeats).map(drop)
        }
        _ => Err(ParquetError::General("a column of another type".to_owned())),
    }
}

fn schema(table: &Table) -> Result<TypePtr, ParquetError> {
    let fields: Result<Vec<TypePtr>, ParquetError> = table.columns.iter().map(field).collect();
    Type::group_type_builder(table.name).with_fields(fields?).build().map(Arc::new)
}

fn field(column: &Column) -> Result<TypePtr, ParquetError> {
    let leaf = |name: &str, physical, logical, repetition| {
        let leaf = Type::primitive_type_builder(name, physical);
        leaf.with_logical_type(logical).with_repetition(repetition).build().map(Arc::new)
    };
    let optional = |physical, logical| leaf(column.name, physical, logical, Repetition::OPTIONAL);
    let micros = LogicalType::timestamp(true, TimeUnit::MICROS);
    match column.kind {
        Kind::Bool => optional(Physical::BOOLEAN, None),
        Kind::Int => optional(Physical::INT64, None),
        Kind::Seconds => optional(Physical::DOUBLE, None),
        Kind::Time => optional(Physical::INT64, Some(micros)),
        Kind::Text | Kind::Word => optional(Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Bytes => optional(Physical::BYTE_ARRAY, None),
        Kind::Words => {
            // The list itself is always there, and so is each word in it.
            let word =
                leaf("element", Physical::BYTE_ARRAY, Some(LogicalType::String), Repetition::REQUIRED)?;
            let list = Type::group_type_builder("list").with_repetition(Repetition::REPEATED);
            let list = list.with_fields(vec![word]).build().map(Arc::new)?;
            let all = Type::group_type_builder(column.name).with_repetition(Repetition::REQUIRED);
            all.with_logical_type(Some(LogicalType::List)).with_fields(vec![list]).build().map(Arc::new)
        }
    }
}

/// Whatever fails is the file's fault: what is written is always well-formed.
fn told(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(inner) => io::Error::other(inner),
        },
        error => io::Error::other(error),
    }
}
