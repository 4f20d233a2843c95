//! The TOML of the catalogue, key by key, as an analyst writes it.
//!
//! An unknown key is refused here, by name; what the values mean is judged in `load`.

use std::fmt;

use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};

use super::{ChannelKind, KioskMode, SourceScope, Text};

/// The head of `catalogue.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHead {
    pub title: Text,
    pub compiled: String,
    pub sources: String,
}

/// The head of a file of procedures.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFileHead {
    pub thematic_area: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawQueue {
    pub identifier: String,
    pub series: String,
    pub name: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCategory {
    pub identifier: String,
    pub name: Text,
    pub icon: String,
    pub queues: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLifeEvent {
    pub identifier: String,
    pub name: Text,
    pub icon: String,
    pub procedures: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProcedure {
    pub identifier: String,
    pub name: Text,
    pub short_name: Option<Text>,
    pub description: Text,
    pub neutral_label: Option<Text>,
    #[serde(default)]
    pub neutral_on_screen: bool,
    pub has_competent_authority: String,
    pub is_for: Option<RawFact>,
    pub eligibility: Option<RawFact>,
    pub kiosk_mode: KioskMode,
    #[serde(default)]
    pub internal: bool,
    pub queue: Option<String>,
    pub needs_turn: bool,
    pub rank: Option<u16>,
    pub form: Option<String>,
    pub minutes_here: Option<u16>,
    pub has_cost: RawCost,
    pub processing_time: RawTime,
    pub has_input: Vec<RawInput>,
    pub has_channel: Vec<RawChannel>,
    pub produces: RawFact,
    #[serde(default)]
    pub has_legal_resource: Vec<String>,
    pub advice: Option<RawFact>,
    #[serde(default)]
    pub keywords: Vec<String>,
    pub official_code: Option<String>,
    pub source: RawSource,
    pub note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawInput {
    pub name: Text,
    pub detail: Option<Text>,
    pub who_has_it: String,
    #[serde(default)]
    pub unconfirmed: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawChannel {
    #[serde(rename = "type")]
    pub kind: ChannelKind,
    pub detail: Option<Text>,
    #[serde(default)]
    pub unconfirmed: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSource {
    pub url: String,
    pub scope: SourceScope,
}

/// A fact in TOML: a plain string, which is Spanish and confirmed, or a table with `unconfirmed`.
macro_rules! fact {
    ($(#[$doc:meta])* $name:ident $(, $flag:ident)?) => {
        $(#[$doc])*
        #[derive(Default)]
        pub(super) struct $name {
            pub words: Option<Text>,
            pub unconfirmed: bool,
            $(pub $flag: bool,)?
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Table {
                    es: Option<String>,
                    en: Option<String>,
                    qu: Option<String>,
                    #[serde(default)]
                    unconfirmed: bool,
                    $(#[serde(default)] $flag: bool,)?
                }

                struct Told;
                impl<'de> Visitor<'de> for Told {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a text in Spanish or a table with its words or `unconfirmed = true`")
                    }

                    fn visit_str<E: de::Error>(self, words: &str) -> Result<$name, E> {
                        Ok($name { words: Some(Text::spanish(words)), ..$name::default() })
                    }

                    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<$name, A::Error> {
                        let table = Table::deserialize(MapAccessDeserializer::new(map))?;
                        let words = match table.es {
                            Some(es) => Some(Text::new(es, table.en, table.qu)),
                            None if table.en.is_some() || table.qu.is_some() => {
                                return Err(de::Error::missing_field("es"));
                            }
                            None => None,
                        };
                        Ok($name { words, unconfirmed: table.unconfirmed, $($flag: table.$flag,)? })
                    }
                }

                deserializer.deserialize_any(Told)
            }
        }
    };
}

fact!(
    /// A text that may be unconfirmed.
    RawFact
);
fact!(
    /// A cost: words, or `free = true`.
    RawCost, free
);
fact!(
    /// A time: words, or `immediate = true`.
    RawTime, immediate
);
