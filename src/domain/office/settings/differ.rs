//! What is different between two documents, for the record: field, before, after.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Settings;

/// One field that changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Difference {
    /// The field, such as `queues.tributos.daily_cap`.
    pub field: String,
    /// Before; nothing where it was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// From now on; nothing where it is not there any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// Every field in which `after` is not `before`, by name.
pub fn differences(before: &Settings, after: &Settings) -> Vec<Difference> {
    let (before, after) = (flat(before), flat(after));
    let fields: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    fields
        .into_iter()
        .filter(|field| before.get(*field) != after.get(*field))
        .map(|field| Difference {
            field: field.clone(),
            from: before.get(field).cloned(),
            to: after.get(field).cloned(),
        })
        .collect()
}

/// The document as fields with texts.
fn flat(settings: &Settings) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    if let Ok(value) = serde_json::to_value(settings) {
        lay("", &value, &mut fields);
    }
    for (field, order) in [
        (
            "queues",
            settings
                .queues
                .iter()
                .map(|queue| queue.id.as_str())
                .collect::<Vec<_>>(),
        ),
        (
            "zones",
            settings.zones.iter().map(|zone| zone.id.as_str()).collect(),
        ),
    ] {
        // Their order is what boards show.
        fields.insert(format!("{field}.order"), order.join(", "));
    }
    fields
}

fn lay(at: &str, value: &Value, fields: &mut BTreeMap<String, String>) {
    let under = |name: &str| {
        if at.is_empty() {
            name.to_owned()
        } else {
            format!("{at}.{name}")
        }
    };
    match value {
        Value::Object(parts) => {
            for (name, part) in parts {
                lay(&under(name), part, fields);
            }
        }
        Value::Array(parts) if parts.iter().any(Value::is_object) => {
            for part in parts {
                let name = part.get("id").or_else(|| part.get("number")).map(text);
                lay(&under(&name.unwrap_or_default()), part, fields);
            }
        }
        Value::Array(parts) => {
            if !parts.is_empty() {
                let parts: Vec<String> = parts.iter().map(text).collect();
                fields.insert(at.to_owned(), parts.join(", "));
            }
        }
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            fields.insert(at.to_owned(), text(value));
        }
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
