//! The records, the schema and the reference held together.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

const SCHEMA_FILE: &str = include_str!("../../../../schema/wstool-1.schema.json");
const REFERENCE: [&str; 2] =
    [include_str!("../../../../docs/ndjson.md"), include_str!("../../../../docs/replay.md")];

fn schema() -> Value {
    serde_json::from_str(SCHEMA_FILE).unwrap()
}

/// The record is valid, and the schema names each of its keys.
pub(super) fn assert_valid(record: &Value) {
    thread_local! {
        static VALIDATOR: jsonschema::Validator = jsonschema::validator_for(&schema()).unwrap();
    }
    let kind = record["type"].as_str().unwrap();
    let schema = schema();
    // The definition of its own kind says more than "none of the nine".
    let own = serde_json::json!({ "$ref": format!("#/$defs/{kind}"), "$defs": schema["$defs"] });
    let own = jsonschema::validator_for(&own).unwrap();
    let errors: Vec<String> =
        own.iter_errors(record).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{record}\n{errors:#?}");
    VALIDATOR.with(|validator| assert!(validator.is_valid(record), "{record}"));
    let named = &schema["$defs"][kind]["properties"];
    for key in record.as_object().unwrap().keys() {
        assert!(named.get(key).is_some(), "the schema does not name `{key}` of {kind}");
    }
}

/// Keys by the name of the definition that has them.
type Keys = BTreeMap<String, BTreeSet<String>>;

fn keys_of_schema() -> Keys {
    let keys = |def: &Value| def["properties"].as_object().map(|keys| keys.keys().cloned().collect());
    let defs = schema()["$defs"].clone();
    let defs = defs.as_object().unwrap();
    defs.iter().filter_map(|(name, def)| Some((name.clone(), keys(def)?))).collect()
}

/// A heading `` ## `name` `` and the first column of the tables under it.
fn keys_of_reference() -> Keys {
    let mut keys = Keys::new();
    let mut section = None;
    for line in REFERENCE.iter().flat_map(|page| page.lines()) {
        if line.starts_with('#') {
            let name = line.split('`').nth(1).map(ToString::to_string);
            if let Some(name) = &name {
                keys.insert(name.clone(), BTreeSet::new());
            }
            section = name;
        } else if let (Some(section), Some(row)) = (&section, line.strip_prefix("| `")) {
            let first = row.split(" | ").next().unwrap();
            let named = first.trim_end_matches('`').split("`, `").map(ToString::to_string);
            keys.get_mut(section).unwrap().extend(named);
        }
    }
    keys
}

#[test]
fn the_reference_names_the_keys_of_the_schema() {
    assert_eq!(keys_of_reference(), keys_of_schema());
}

#[test]
fn the_examples_of_the_reference_fit_the_schema() {
    let examples: Vec<Value> = REFERENCE
        .iter()
        .flat_map(|page| page.lines())
        .filter(|line| line.starts_with("{\"type\":"))
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    examples.iter().for_each(assert_valid);
    let shown: BTreeSet<&str> = examples.iter().map(|record| record["type"].as_str().unwrap()).collect();
    let schema = schema();
    let all: BTreeSet<&str> = schema["oneOf"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|r| r["$ref"].as_str()?.strip_prefix("#/$defs/"))
        .collect();
    assert_eq!(shown, all);
}
