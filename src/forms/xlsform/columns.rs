//! Column headings: their many spellings, and their languages.

/// A heading.
pub(super) struct Column {
    /// As the author wrote it.
    pub title: String,
    /// Canonical name: `label`, `relevant`, `media::image`, `bind::odk:length`.
    pub key: String,
    /// `Español (es)` of `label::Español (es)`.
    pub language: Option<String>,
}

/// Columns that can be translated.
pub(super) const TRANSLATED: &[&str] = &[
    "label",
    "hint",
    "guidance_hint",
    "review",
    "constraint_message",
    "required_message",
    "no_app_error",
    "media::image",
    "media::big-image",
    "media::audio",
    "media::video",
    "form_title",
];

/// Reads a heading. `doubled`: some heading of the sheet has `::`, so that one colon is part of a name.
pub(super) fn column(title: &str, doubled: bool) -> Column {
    let title = title.trim();
    let tokens = tokens(title, doubled);
    let head = tokens[0]
        .split_whitespace()
        .collect::<Vec<_>>()
        .join("_")
        .to_lowercase();
    let (key, used) = match (head.as_str(), tokens.get(1)) {
        ("media", Some(kind)) => (format!("media::{}", kind.to_lowercase()), 2),
        ("bind", Some(attribute)) => (bind(attribute), 2),
        ("control" | "body", Some(attribute)) => (body(attribute), 2),
        ("instance", Some(attribute)) => (format!("instance::{attribute}"), 2),
        _ => (canonical(&head), 1),
    };
    let translated = TRANSLATED.contains(&key.as_str());
    let language = tokens
        .get(used)
        .filter(|_| translated)
        .map(|_| tokens[used..].join("::"));
    let key = if tokens.len() > used && !translated {
        title.to_owned()
    } else {
        key
    };
    Column {
        title: title.to_owned(),
        key,
        language,
    }
}

/// Parts between colons. A lone `jr` belongs to the part after it.
fn tokens(title: &str, doubled: bool) -> Vec<String> {
    let by = if doubled || title.contains("::") {
        "::"
    } else {
        ":"
    };
    let mut out: Vec<String> = Vec::new();
    for part in title.split(by).map(str::trim) {
        match out.last_mut() {
            Some(last) if last == "jr" => *last = format!("jr:{part}"),
            _ => out.push(part.to_owned()),
        }
    }
    out
}

fn bind(attribute: &str) -> String {
    let known = match attribute.to_lowercase().as_str() {
        "relevant" => "relevant",
        "required" => "required",
        "readonly" => "readonly",
        "constraint" => "constraint",
        "calculate" => "calculation",
        "jr:constraintmsg" | "constraintmsg" => "constraint_message",
        "jr:requiredmsg" | "requiredmsg" => "required_message",
        "jr:noapperrorstring" | "noapperrorstring" => "no_app_error",
        _ => return format!("bind::{attribute}"),
    };
    known.to_owned()
}

fn body(attribute: &str) -> String {
    match attribute {
        "appearance" | "autoplay" | "rows" => attribute.to_owned(),
        "jr:count" => "repeat_count".to_owned(),
        other => format!("body::{other}"),
    }
}

fn canonical(key: &str) -> String {
    let known = match key {
        "command" => "type",
        "tag" | "value" => "name",
        "caption" => "label",
        "relevance" => "relevant",
        "calculate" => "calculation",
        "read_only" => "readonly",
        "count" | "jr:count" => "repeat_count",
        "constraining_message" | "constraint_msg" | "constraintmsg" | "jr:constraintmsg" => {
            "constraint_message"
        }
        "requiredmsg" | "required_msg" | "jr:requiredmsg" => "required_message",
        "noapperrorstring" | "no_app_error_string" => "no_app_error",
        "list-name" | "listname" => "list_name",
        "image" => "media::image",
        "audio" => "media::audio",
        "video" => "media::video",
        "big-image" => "media::big-image",
        other => other,
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_understood_in_their_spellings() {
        let c = |title: &str| {
            let c = column(title, false);
            (c.key, c.language.unwrap_or_default())
        };
        assert_eq!(c("label::Español (es)"), ("label".into(), "Español (es)".into()));
        assert_eq!(c("Label : English"), ("label".into(), "English".into()));
        assert_eq!(c("list name"), ("list_name".into(), String::new()));
        assert_eq!(c("bind:relevant"), ("relevant".into(), String::new()));
        assert_eq!(
            c("bind:jr:constraintMsg:qu"),
            ("constraint_message".into(), "qu".into())
        );
        assert_eq!(
            c("body::accuracyThreshold"),
            ("body::accuracyThreshold".into(), String::new())
        );
        assert_eq!(
            c("media::image::Kichwa (qu)"),
            ("media::image".into(), "Kichwa (qu)".into())
        );
        assert_eq!(
            c("Constraint Message::English (en)"),
            ("constraint_message".into(), "English (en)".into())
        );
    }
}
