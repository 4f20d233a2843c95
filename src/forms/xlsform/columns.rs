//! Column headings: their many spellings, and their languages.

/// A heading.
pub(super) struct Column {
    /// As the author wrote it.
    pub title: String,
    /// Canonical name: `label`, `relevant`, `media::image`.
    pub key: String,
    /// `Español (es)` of `label::Español (es)`.
    pub language: Option<String>,
}

/// Columns that can be translated.
const TRANSLATED: &[&str] = &[
    "label",
    "hint",
    "guidance_hint",
    "review",
    "constraint_message",
    "required_message",
    "media::image",
    "media::audio",
    "media::video",
    "media::big-image",
    "form_title",
];

pub(super) fn column(title: &str) -> Column {
    let title = title.trim();
    let mut parts: Vec<&str> = if title.contains("::") {
        title.split("::").collect()
    } else {
        title.split(':').collect()
    };
    parts.iter_mut().for_each(|p| *p = p.trim());
    let head = parts[0].to_lowercase().replace(' ', "_");
    // `media::image::Español (es)`, `bind::relevant`, `bind::jr:constraintMsg`
    if head == "media" && parts.len() > 1 {
        let key = format!("media::{}", parts[1].to_lowercase());
        return Column {
            title: title.to_owned(),
            key,
            language: parts.get(2).map(|l| (*l).to_owned()),
        };
    }
    if head == "bind" && parts.len() > 1 {
        let key = canonical(&parts[1].replace("jr:", "").to_lowercase());
        let language = parts
            .get(2)
            .filter(|_| TRANSLATED.contains(&key.as_str()))
            .map(|l| (*l).to_owned());
        return Column {
            title: title.to_owned(),
            key,
            language,
        };
    }
    let key = canonical(&head);
    if parts.len() > 1 && TRANSLATED.contains(&key.as_str()) {
        let language = parts[1..].join("::");
        return Column {
            title: title.to_owned(),
            key,
            language: Some(language),
        };
    }
    let key = if parts.len() > 1 {
        title.to_lowercase()
    } else {
        key
    };
    Column {
        title: title.to_owned(),
        key,
        language: None,
    }
}

fn canonical(key: &str) -> String {
    let known = match key {
        "command" => "type",
        "tag" => "name",
        "caption" => "label",
        "relevance" => "relevant",
        "calculate" => "calculation",
        "read_only" => "readonly",
        "count" => "repeat_count",
        "skippable" => "required",
        "constraining_message" | "constraint_msg" | "constraintmsg" => "constraint_message",
        "requiredmsg" | "required_msg" => "required_message",
        "list name" => "list_name",
        "image" => "media::image",
        "audio" => "media::audio",
        "video" => "media::video",
        "big-image" => "media::big-image",
        "value" => "value",
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
            let c = column(title);
            (c.key, c.language.unwrap_or_default())
        };
        assert_eq!(c("label::Español (es)"), ("label".into(), "Español (es)".into()));
        assert_eq!(c("Label : English"), ("label".into(), "English".into()));
        assert_eq!(c("list name"), ("list_name".into(), String::new()));
        assert_eq!(c("bind:relevant"), ("relevant".into(), String::new()));
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
