//! The one catalogue of words for screen, paper, voice and web.
//!
//! A key has Spanish and English, and Kichwa only where a reviewed source has it.
//! Kichwa is never translated by machine: a missing string falls back to Spanish, and Spanish always stands beside it.
//! Begin at [`say`]; the words are in `words/*.toml`.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// A language a citizen can choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Language {
    /// Spanish as in Ecuador, the language of law and the fallback.
    #[default]
    #[serde(rename = "es")]
    Spanish,
    /// Unified Ecuadorian Kichwa, shown beside Spanish.
    #[serde(rename = "qu")]
    Kichwa,
    /// English.
    #[serde(rename = "en")]
    English,
}

/// The languages of the staff's pages.
pub const CONSOLE: [Language; 2] = [Language::Spanish, Language::English];

impl Language {
    /// Every language, in the order of the buttons.
    pub const ALL: [Self; 3] = [Self::Spanish, Self::Kichwa, Self::English];

    /// ISO 639-1 code: `es`, `qu`, `en`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Spanish => "es",
            Self::Kichwa => "qu",
            Self::English => "en",
        }
    }

    /// The language of a code, if we speak it.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    es: String,
    en: String,
    qu: Option<String>,
}

static WORDS: LazyLock<HashMap<String, Entry>> = LazyLock::new(|| {
    let mut words = HashMap::new();
    for (file, text) in FILES {
        let table: HashMap<String, Entry> =
            toml::from_str(text).unwrap_or_else(|e| panic!("the embedded words of {file} parse: {e}"));
        for (key, entry) in table {
            let earlier = words.insert(key.clone(), entry);
            assert!(
                earlier.is_none(),
                "the key {key} of {file} stands in one file only"
            );
        }
    }
    words
});

const FILES: [(&str, &str); 5] = [
    ("kiosk", include_str!("words/kiosk.toml")),
    ("paper", include_str!("words/paper.toml")),
    ("office", include_str!("words/office.toml")),
    ("central", include_str!("words/central.toml")),
    ("board", include_str!("words/board.toml")),
];

/// The words of `key`; Spanish where the language has none, the key itself where nobody wrote it.
pub fn say(language: Language, key: &str) -> String {
    let Some(entry) = WORDS.get(key) else {
        debug_assert!(false, "no words for the key {key}");
        return key.to_owned();
    };
    match language {
        Language::Spanish => entry.es.clone(),
        Language::English => entry.en.clone(),
        Language::Kichwa => entry.qu.clone().unwrap_or_else(|| entry.es.clone()),
    }
}

/// [`say`] with `{name}` replaced by its value.
pub fn fill(language: Language, key: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(say(language, key), |text, (name, value)| {
        text.replace(&format!("{{{name}}}"), value)
    })
}

/// The Spanish that stands beside Kichwa words; nothing where the words are Spanish already.
pub fn beside(language: Language, key: &str) -> Option<String> {
    match (language, WORDS.get(key)) {
        (Language::Kichwa, Some(entry)) if entry.qu.is_some() => Some(entry.es.clone()),
        _ => None,
    }
}

/// Every key, for tests that hold the catalogue against its users.
pub fn keys() -> impl Iterator<Item = &'static str> {
    WORDS.keys().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_empty_and_placeholders_agree() {
        let holes = |text: &str| {
            let mut found: Vec<String> = text
                .split('{')
                .skip(1)
                .filter_map(|part| part.split('}').next())
                .map(str::to_owned)
                .collect();
            found.sort();
            found
        };
        for (key, entry) in WORDS.iter() {
            assert!(
                !entry.es.trim().is_empty() && !entry.en.trim().is_empty(),
                "{key}"
            );
            assert_eq!(holes(&entry.es), holes(&entry.en), "{key}");
            if let Some(qu) = &entry.qu {
                assert_eq!(holes(&entry.es), holes(qu), "{key}");
            }
        }
    }
}
