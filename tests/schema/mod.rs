//! `schema/wstool-1.schema.json`, which is what programs are promised.

use serde_json::{Value, json};

const SCHEMA: &str = include_str!("../../schema/wstool-1.schema.json");

/// A record is valid, and the schema names each of its keys.
///
/// # Panics
/// When it is not; the message says where.
pub fn assert_valid(record: &Value) {
    let schema: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
    let kind = record["type"].as_str().expect("a record has a type");
    // The definition of its own kind says more than "none of them".
    let own = json!({ "$ref": format!("#/$defs/{kind}"), "$defs": schema["$defs"] });
    let own = jsonschema::validator_for(&own).expect("it is a schema");
    let errors: Vec<String> =
        own.iter_errors(record).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{record}\n{errors:#?}");
    let named = &schema["$defs"][kind]["properties"];
    for key in record.as_object().expect("an object").keys() {
        assert!(named.get(key).is_some(), "the schema does not name `{key}` of {kind}");
    }
}
