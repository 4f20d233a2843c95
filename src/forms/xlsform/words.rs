//! A text of a cell in its languages.

/// What an author wrote for one label, hint, message or medium.
#[derive(Clone, Default)]
pub(super) enum Words {
    #[default]
    None,
    /// In a column without language, while no other column of the kind names one.
    Plain(String),
    /// By language, in the order of the columns.
    In(Vec<(String, String)>),
}

impl Words {
    /// Puts the cells of a row together; a text without language is in the default one, unless that has its own column.
    pub fn join(cells: Vec<(Option<String>, String)>, default: &str) -> Words {
        if cells.iter().all(|(language, _)| language.is_none()) {
            return cells
                .into_iter()
                .next()
                .map_or(Words::None, |(_, text)| Words::Plain(text));
        }
        let own = cells.iter().any(|(l, _)| l.as_deref() == Some(default));
        let named = cells.into_iter().filter(|(l, _)| l.is_some() || !own);
        Words::In(
            named
                .map(|(l, text)| (l.unwrap_or_else(|| default.to_owned()), text))
                .collect(),
        )
    }

    pub fn is_none(&self) -> bool {
        matches!(self, Words::None)
    }

    /// Whether it has more than one language, or one that is named.
    pub fn is_translated(&self) -> bool {
        matches!(self, Words::In(_))
    }

    /// Every text with its language; what has none is in the default one.
    pub fn by_language<'a>(&'a self, default: &'a str) -> Vec<(&'a str, &'a str)> {
        match self {
            Words::None => vec![],
            Words::Plain(text) => vec![(default, text)],
            Words::In(all) => all.iter().map(|(l, t)| (l.as_str(), t.as_str())).collect(),
        }
    }

    pub fn texts(&self) -> Vec<&str> {
        self.by_language("").into_iter().map(|(_, t)| t).collect()
    }

    /// The same with every text changed.
    pub fn map(&self, change: impl Fn(&str, &str) -> String) -> Words {
        match self {
            Words::None => Words::None,
            Words::Plain(text) => Words::Plain(change("", text)),
            Words::In(all) => Words::In(all.iter().map(|(l, t)| (l.clone(), change(l, t))).collect()),
        }
    }
}
