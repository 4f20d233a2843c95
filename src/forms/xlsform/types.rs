//! The `type` column: what each word asks and how it is stored.

/// A question type.
pub(super) struct Type {
    /// Element of the body; `None` has no question.
    pub control: Option<&'static str>,
    /// Type of the bind.
    pub bind: &'static str,
    pub readonly: bool,
    /// `jr:preload` and its parameter.
    pub preload: Option<(&'static str, &'static str)>,
    /// A kiosk cannot ask it.
    pub foreign: bool,
    /// Written by whoever opens the form, so that it may have no calculation.
    pub hidden: bool,
}

/// What a row of the survey sheet is.
pub(super) enum Row {
    Question(Type),
    Select {
        control: &'static str,
        list: String,
        or_other: bool,
    },
    BeginGroup,
    BeginRepeat,
    EndGroup,
    EndRepeat,
    /// A known word that has no effect here.
    Ignored,
    Unknown {
        nearest: Option<&'static str>,
    },
    Unsupported {
        cure: &'static str,
    },
}

const fn asked(control: &'static str, bind: &'static str) -> Type {
    Type {
        control: Some(control),
        bind,
        readonly: false,
        preload: None,
        foreign: false,
        hidden: false,
    }
}

const fn preloaded(bind: &'static str, kind: &'static str, parameter: &'static str) -> Type {
    Type {
        control: None,
        bind,
        readonly: false,
        preload: Some((kind, parameter)),
        foreign: false,
        hidden: false,
    }
}

const KNOWN: &[(&str, Type)] = &[
    ("text", asked("input", "string")),
    ("string", asked("input", "string")),
    ("phone number", asked("input", "string")),
    ("integer", asked("input", "int")),
    ("int", asked("input", "int")),
    ("decimal", asked("input", "decimal")),
    ("date", asked("input", "date")),
    ("time", asked("input", "time")),
    ("datetime", asked("input", "dateTime")),
    (
        "note",
        Type {
            control: Some("input"),
            bind: "string",
            readonly: true,
            preload: None,
            foreign: false,
            hidden: false,
        },
    ),
    (
        "calculate",
        Type {
            control: None,
            bind: "string",
            readonly: false,
            preload: None,
            foreign: false,
            hidden: false,
        },
    ),
    (
        "hidden",
        Type {
            control: None,
            bind: "string",
            readonly: false,
            preload: None,
            foreign: false,
            hidden: true,
        },
    ),
    ("acknowledge", asked("trigger", "string")),
    ("trigger", asked("trigger", "string")),
    ("range", asked("range", "int")),
    ("barcode", asked("input", "barcode")),
    (
        "geopoint",
        Type {
            foreign: true,
            ..asked("input", "geopoint")
        },
    ),
    (
        "geotrace",
        Type {
            foreign: true,
            ..asked("input", "geotrace")
        },
    ),
    (
        "geoshape",
        Type {
            foreign: true,
            ..asked("input", "geoshape")
        },
    ),
    (
        "image",
        Type {
            foreign: true,
            ..asked("upload", "binary")
        },
    ),
    (
        "photo",
        Type {
            foreign: true,
            ..asked("upload", "binary")
        },
    ),
    (
        "audio",
        Type {
            foreign: true,
            ..asked("upload", "binary")
        },
    ),
    (
        "video",
        Type {
            foreign: true,
            ..asked("upload", "binary")
        },
    ),
    (
        "file",
        Type {
            foreign: true,
            ..asked("upload", "binary")
        },
    ),
    ("start", preloaded("dateTime", "timestamp", "start")),
    ("end", preloaded("dateTime", "timestamp", "end")),
    ("today", preloaded("date", "date", "today")),
    ("deviceid", preloaded("string", "property", "deviceid")),
    ("imei", preloaded("string", "property", "deviceid")),
    ("username", preloaded("string", "property", "username")),
    ("email", preloaded("string", "property", "email")),
    ("phonenumber", preloaded("string", "property", "phonenumber")),
    ("simserial", preloaded("string", "property", "simserial")),
    ("subscriberid", preloaded("string", "property", "subscriberid")),
    ("uri:deviceid", preloaded("string", "property", "uri:deviceid")),
];

pub(super) fn row(text: &str) -> Row {
    let words: Vec<&str> = text.split_whitespace().collect();
    let lower = words.join(" ").to_lowercase();
    match lower.replace('_', " ").as_str() {
        "begin group" | "begin lgroup" => return Row::BeginGroup,
        "begin repeat" => return Row::BeginRepeat,
        "end group" => return Row::EndGroup,
        "end repeat" => return Row::EndRepeat,
        "audit" | "start-geopoint" | "background-audio" => return Row::Ignored,
        _ => {}
    }
    if let Some(select) = select(&words, &lower) {
        return select;
    }
    let found = KNOWN.iter().find(|(name, _)| *name == lower);
    match found {
        Some((_, t)) => Row::Question(Type {
            control: t.control,
            bind: t.bind,
            readonly: t.readonly,
            preload: t.preload,
            foreign: t.foreign,
            hidden: t.hidden,
        }),
        None => {
            if let Some(unsupported) = unsupported(&lower) {
                return unsupported;
            }
            let score = |name: &str| strsim::jaro_winkler(&lower, name);
            let words = KNOWN.iter().map(|k| k.0).chain([
                "select_one",
                "select_multiple",
                "begin group",
                "end group",
            ]);
            let nearest = words
                .max_by(|a, b| score(a).total_cmp(&score(b)))
                .filter(|n| score(n) > 0.75);
            Row::Unknown { nearest }
        }
    }
}

/// Types of ODK that a kiosk does not have, with what to do instead.
fn unsupported(lower: &str) -> Option<Row> {
    let cure = match lower.split(' ').next().unwrap_or("") {
        "begin" | "end" => "loops are not supported; use begin repeat or write the questions out",
        "select_one_from_file"
        | "select_multiple_from_file"
        | "select_one_external"
        | "xml-external"
        | "csv-external" => "lists in other files are not supported; put the choices in the choices sheet",
        "osm" | "entity" => "this type is not supported on a kiosk",
        _ => return None,
    };
    Some(Row::Unsupported { cure })
}

/// `select_one list or_other`, and the spellings of older sheets (`select all that apply from list or specify other`).
fn select(words: &[&str], lower: &str) -> Option<Row> {
    const FORMS: &[(&str, &str)] = &[
        ("select_one ", "select1"),
        ("select one from ", "select1"),
        ("select one ", "select1"),
        ("select1 ", "select1"),
        ("select_multiple ", "select"),
        ("select multiple ", "select"),
        ("select all that apply from ", "select"),
        ("rank ", "odk:rank"),
    ];
    let (prefix, control) = FORMS.iter().find(|(prefix, _)| lower.starts_with(prefix))?;
    let skip = prefix.split_whitespace().count();
    let list = words.get(skip)?;
    let rest = words[skip + 1..].join(" ").to_lowercase();
    let or_other = matches!(rest.as_str(), "or_other" | "or specify other" | "or other");
    if !rest.is_empty() && !or_other {
        return None;
    }
    Some(Row::Select {
        control,
        list: (*list).to_owned(),
        or_other,
    })
}
