//! Words in several languages, and how sure we are of them.

use std::fmt;

use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize};

use crate::i18n::Language;

/// Words in Spanish, and in other languages as far as somebody wrote them.
///
/// In TOML a plain string is Spanish; a table has `es`, `en` and `qu`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Text {
    es: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    en: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    qu: Option<String>,
}

impl Text {
    /// Words in Spanish only.
    pub fn spanish(words: impl Into<String>) -> Self {
        Self {
            es: words.into(),
            en: None,
            qu: None,
        }
    }

    /// Words in each language; an empty one counts as missing.
    pub(super) fn new(es: String, en: Option<String>, qu: Option<String>) -> Self {
        let filled = |words: Option<String>| words.filter(|w| !w.trim().is_empty());
        Self {
            es,
            en: filled(en),
            qu: filled(qu),
        }
    }

    /// The words of `language`, or the Spanish ones.
    pub fn get(&self, language: Language) -> &str {
        self.own(language).unwrap_or(&self.es)
    }

    /// The words of `language` only; where there are none, a face shows Spanish and says it is Spanish.
    pub fn own(&self, language: Language) -> Option<&str> {
        match language {
            Language::Spanish => Some(&self.es),
            Language::English => self.en.as_deref(),
            Language::Kichwa => self.qu.as_deref(),
        }
    }

    /// The words of every language there is.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        Language::ALL
            .into_iter()
            .filter_map(|language| self.own(language))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            es: String,
            en: Option<String>,
            qu: Option<String>,
        }

        struct Words;
        impl<'de> Visitor<'de> for Words {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text in Spanish or a table with `es`, `en`, `qu`")
            }

            fn visit_str<E: de::Error>(self, words: &str) -> Result<Text, E> {
                Ok(Text::spanish(words))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Text, A::Error> {
                let table = Table::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Text::new(table.es, table.en, table.qu))
            }
        }

        deserializer.deserialize_any(Words)
    }
}

/// Something we were told about a procedure, and whether a source stands behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fact<T> {
    /// A source says so.
    Confirmed(T),
    /// Likely, but no source says so, or sources disagree: show it with «por confirmar», or only that.
    Unconfirmed(T),
    /// Nobody knows: show «por confirmar».
    #[default]
    Unknown,
}

impl<T> Fact<T> {
    /// What we were told, however sure.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Confirmed(value) | Self::Unconfirmed(value) => Some(value),
            Self::Unknown => None,
        }
    }

    /// What a source confirms.
    pub fn confirmed(&self) -> Option<&T> {
        match self {
            Self::Confirmed(value) => Some(value),
            Self::Unconfirmed(_) | Self::Unknown => None,
        }
    }

    /// Whether «por confirmar» has to stand beside it.
    pub fn needs_confirming(&self) -> bool {
        self.confirmed().is_none()
    }
}
