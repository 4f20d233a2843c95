//! The `type` column: what each word asks and how it is stored.

/// A question type.
#[derive(Debug)]
pub(super) struct Type {
    /// The word pyxform keeps for it.
    pub name: &'static str,
    /// Element of the body; empty where nothing is asked.
    pub control: &'static str,
    /// What an upload accepts.
    pub media: &'static str,
    /// Type of the bind; empty where there is none.
    pub bind: &'static str,
    /// `jr:preload` and its parameter.
    pub preload: Option<(&'static str, &'static str)>,
    pub readonly: bool,
    /// A rule and a hint that come with the type.
    pub rule: Option<(&'static str, &'static str)>,
}

impl Type {
    const fn new(name: &'static str, control: &'static str, bind: &'static str) -> Type {
        Type {
            name,
            control,
            media: "",
            bind,
            preload: None,
            readonly: false,
            rule: None,
        }
    }

    const fn upload(name: &'static str, media: &'static str) -> Type {
        Type {
            media,
            ..Type::new(name, "upload", "binary")
        }
    }

    const fn preloaded(
        name: &'static str,
        bind: &'static str,
        kind: &'static str,
        parameter: &'static str,
    ) -> Type {
        Type {
            preload: Some((kind, parameter)),
            ..Type::new(name, "", bind)
        }
    }

    const fn ruled(name: &'static str, bind: &'static str, rule: &'static str, hint: &'static str) -> Type {
        Type {
            rule: Some((rule, hint)),
            ..Type::new(name, "input", bind)
        }
    }

    /// Whether a kiosk has nothing to ask it with.
    pub fn is_foreign(&self) -> bool {
        // A picture is drawn where it is a signature, and brought where it is a photograph.
        let picture = matches!(self.name, "image" | "photo" | "add image prompt");
        matches!(self.bind, "geopoint" | "geotrace" | "geoshape") || (self.control == "upload" && !picture)
    }

    /// Whether somebody is asked.
    pub fn asks(&self) -> bool {
        !matches!(self.control, "" | "action")
    }
}

pub(super) static CALCULATE: Type = Type::new("calculate", "", "string");
pub(super) static TEXT: Type = Type::new("text", "input", "string");
pub(super) static NOTE: Type = Type {
    readonly: true,
    ..Type::new("note", "input", "string")
};
pub(super) static AUDIT: Type = Type::new("audit", "", "binary");

static TYPES: &[&Type] = &[
    &CALCULATE,
    &TEXT,
    &NOTE,
    &AUDIT,
    &Type::new("hidden", "", "string"),
    &Type::new("integer", "input", "int"),
    &Type::new("decimal", "input", "decimal"),
    &Type::new("date", "input", "date"),
    &Type::new("time", "input", "time"),
    &Type::new("datetime", "input", "dateTime"),
    &Type::new("acknowledge", "trigger", "string"),
    &Type::new("trigger", "trigger", ""),
    &Type::new("range", "range", "int"),
    &Type::new("barcode", "input", "barcode"),
    &Type::new("geopoint", "input", "geopoint"),
    &Type::new("geotrace", "input", "geotrace"),
    &Type::new("geoshape", "input", "geoshape"),
    &Type::new("start-geopoint", "action", "geopoint"),
    &Type::new("background-audio", "action", "binary"),
    &Type::upload("photo", "image/*"),
    &Type::upload("audio", "audio/*"),
    &Type::upload("video", "video/*"),
    &Type::upload("file", "application/*"),
    &Type::upload("osm", "osm/*"),
    &Type::ruled(
        "phone number",
        "string",
        r"regex(., '^\d*$')",
        "Enter numbers only.",
    ),
    &Type::ruled("percentage", "int", "0 <= . and . <= 100", ""),
    &Type::preloaded("start", "dateTime", "timestamp", "start"),
    &Type::preloaded("end", "dateTime", "timestamp", "end"),
    &Type::preloaded("today", "date", "date", "today"),
    &Type::preloaded("deviceid", "string", "property", "deviceid"),
    &Type::preloaded("username", "string", "property", "username"),
    &Type::preloaded("email", "string", "property", "email"),
    &Type::preloaded("phonenumber", "string", "property", "phonenumber"),
    &Type::preloaded("simserial", "string", "property", "simserial"),
    &Type::preloaded("subscriberid", "string", "property", "subscriberid"),
    &Type::preloaded("uri:deviceid", "string", "property", "uri:deviceid"),
    &Type::preloaded("uri:username", "string", "property", "uri:username"),
    &Type::preloaded("uri:email", "string", "property", "uri:email"),
    &Type::preloaded("uri:phonenumber", "string", "property", "uri:phonenumber"),
    &Type::preloaded("uri:simserial", "string", "property", "uri:simserial"),
    &Type::preloaded("uri:subscriberid", "string", "property", "uri:subscriberid"),
];

/// Older and longer words for the same.
const ALIASES: &[(&str, &str)] = &[
    ("string", "text"),
    ("q string", "text"),
    ("add text prompt", "text"),
    ("int", "integer"),
    ("q int", "integer"),
    ("add integer prompt", "integer"),
    ("q decimal", "decimal"),
    ("add decimal prompt", "decimal"),
    ("q date", "date"),
    ("add date prompt", "date"),
    ("date time", "datetime"),
    ("q date time", "datetime"),
    ("q datetime", "datetime"),
    ("add date time prompt", "datetime"),
    ("add datetime prompt", "datetime"),
    ("q note", "note"),
    ("add note prompt", "note"),
    ("q calculate", "calculate"),
    ("add calculate prompt", "calculate"),
    ("q acknowledge", "acknowledge"),
    ("add acknowledge prompt", "acknowledge"),
    ("q barcode", "barcode"),
    ("add barcode prompt", "barcode"),
    ("gps", "geopoint"),
    ("location", "geopoint"),
    ("q geopoint", "geopoint"),
    ("q location", "geopoint"),
    ("add location prompt", "geopoint"),
    ("q geotrace", "geotrace"),
    ("q geoshape", "geoshape"),
    ("image", "photo"),
    ("q image", "photo"),
    ("q picture", "photo"),
    ("add image prompt", "photo"),
    ("add photo prompt", "photo"),
    ("q audio", "audio"),
    ("add audio prompt", "audio"),
    ("q video", "video"),
    ("add video prompt", "video"),
    ("add file prompt", "file"),
    ("start time", "start"),
    ("get start time", "start"),
    ("end time", "end"),
    ("get end time", "end"),
    ("get today", "today"),
    ("imei", "deviceid"),
    ("device id", "deviceid"),
    ("get device id", "deviceid"),
    ("get phone number", "phonenumber"),
    ("sim id", "simserial"),
    ("get sim id", "simserial"),
    ("subscriber id", "subscriberid"),
    ("get subscriber id", "subscriberid"),
];

/// What a row of the survey sheet is.
pub(super) enum Row {
    Question(&'static Type),
    Select {
        control: &'static str,
        /// A list of the choices sheet, a file, or `${field}` of a repeat.
        list: String,
        from: Source,
        or_other: bool,
    },
    /// A list in another file: `csv` or `xml`.
    External(&'static str),
    BeginGroup,
    BeginRepeat,
    BeginLoop {
        list: String,
    },
    End(&'static str),
    Unknown {
        nearest: Option<&'static str>,
    },
    Unsupported {
        cure: &'static str,
    },
}

/// Where the choices of a select are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// In the choices sheet.
    Sheet,
    /// In a file beside the form.
    File,
    /// In the external_choices sheet.
    ExternalSheet,
    /// Answers given in a repeat.
    Answers,
}

pub(super) fn row(text: &str) -> Row {
    let words: Vec<&str> = text.split_whitespace().collect();
    let lower = words.join(" ").to_lowercase();
    if let Some(bracket) = bracket(&lower, &words).or_else(|| select(&words, &lower)) {
        return bracket;
    }
    match lower.as_str() {
        "csv-external" => return Row::External("csv"),
        "xml-external" => return Row::External("xml"),
        "include" => {
            return Row::Unsupported {
                cure: "parts of other forms cannot be included; copy their rows here",
            };
        }
        "background-geopoint" => {
            return Row::Unsupported {
                cure: "a kiosk stands where it stands; remove the row",
            };
        }
        _ => {}
    }
    let name = ALIASES
        .iter()
        .find(|(alias, _)| *alias == lower)
        .map_or(lower.as_str(), |(_, name)| name);
    // The tags of a map are nothing a kiosk could ask for.
    let name = if name.starts_with("osm ") { "osm" } else { name };
    match TYPES.iter().find(|t| t.name == name) {
        Some(found) => Row::Question(found),
        None => {
            let score = |name: &str| strsim::jaro_winkler(&lower, name);
            let others = ["select_one", "select_multiple", "begin group", "end group"];
            let nearest = TYPES.iter().map(|t| t.name).chain(others);
            let nearest = nearest
                .max_by(|a, b| score(a).total_cmp(&score(b)))
                .filter(|n| score(n) > 0.75);
            Row::Unknown { nearest }
        }
    }
}

/// `begin group`, `end_repeat`, `begin loop over list`.
fn bracket(lower: &str, words: &[&str]) -> Option<Row> {
    let spaced = lower.replacen("begin_", "begin ", 1).replacen("end_", "end ", 1);
    let kind = |word: &str| match word {
        "group" => Some("group"),
        "repeat" | "lgroup" => Some("repeat"),
        "loop" => Some("loop"),
        _ => None,
    };
    let mut parts = spaced.split(' ');
    let (first, second) = (parts.next()?, kind(parts.next()?)?);
    let rest: Vec<&str> = parts.collect();
    match (first, second, rest.as_slice()) {
        ("end", kind, []) => Some(Row::End(kind)),
        ("begin", "group", []) => Some(Row::BeginGroup),
        ("begin", "repeat", []) => Some(Row::BeginRepeat),
        ("begin", "loop", [] | [_] | ["over", _]) => {
            let list = if rest.is_empty() {
                ""
            } else {
                words[words.len() - 1]
            };
            Some(Row::BeginLoop {
                list: list.to_owned(),
            })
        }
        _ => None,
    }
}

/// `select_one list or_other`, and the spellings of older sheets (`select all that apply from list or specify other`).
fn select(words: &[&str], lower: &str) -> Option<Row> {
    const FORMS: &[(&str, &str, Source)] = &[
        ("select_one_from_file ", "select1", Source::File),
        ("select one from file ", "select1", Source::File),
        ("select_multiple_from_file ", "select", Source::File),
        ("select multiple from file ", "select", Source::File),
        ("select_one_external ", "input", Source::ExternalSheet),
        ("select_one ", "select1", Source::Sheet),
        ("select one from ", "select1", Source::Sheet),
        ("select one ", "select1", Source::Sheet),
        ("select1 ", "select1", Source::Sheet),
        ("add select one prompt using ", "select1", Source::Sheet),
        ("select_multiple ", "select", Source::Sheet),
        ("select multiple ", "select", Source::Sheet),
        ("select all that apply from ", "select", Source::Sheet),
        ("select all that apply ", "select", Source::Sheet),
        ("add select multiple prompt using ", "select", Source::Sheet),
        ("rank ", "odk:rank", Source::Sheet),
    ];
    let (prefix, control, from) = FORMS.iter().find(|(prefix, ..)| lower.starts_with(prefix))?;
    let skip = prefix.split_whitespace().count();
    let list = *words.get(skip)?;
    let rest = words[skip + 1..].join(" ").to_lowercase();
    let or_other = matches!(rest.as_str(), "or_other" | "or specify other" | "or other");
    if !rest.is_empty() && !or_other {
        return None;
    }
    let from = match *from {
        Source::Sheet if list.starts_with("${") => Source::Answers,
        Source::Sheet if is_file(list) => Source::File,
        other => other,
    };
    Some(Row::Select {
        control,
        list: list.to_owned(),
        from,
        or_other,
    })
}

/// Whether a list is named like a file that choices can be in.
pub(super) fn is_file(list: &str) -> bool {
    [".csv", ".xml", ".geojson"].iter().any(|e| list.ends_with(e))
}
