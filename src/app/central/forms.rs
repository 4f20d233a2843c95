//! The forms that submissions were filled in with: those of the published catalogue and those built in.
//!
//! A version that was published once is kept beside the catalogue (`catalogues/`), so that a submission of last
//! month is held against the form of last month. Begin at [`FormBook::load`].

use std::collections::HashMap;
use std::sync::Arc;

use tracing::warn;

use crate::app::catalogue::Shelf;
use crate::domain::procedure::quito;
use crate::forms::{Files, Form};

/// Forms by id and version.
#[derive(Clone, Default)]
pub struct FormBook {
    /// Version of the catalogue that is published.
    pub(super) version: u64,
    forms: HashMap<(String, String), Arc<Form>>,
    newest: HashMap<String, Arc<Form>>,
}

impl FormBook {
    /// The forms built in, and those of every catalogue that was published here.
    pub fn load(shelf: Option<&Shelf>) -> Self {
        let mut book = Self::default();
        let lists: Files = quito::LISTS
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
            .collect();
        for (name, bytes) in quito::FORMS {
            book.add(name, bytes, &lists);
        }
        if let Some(shelf) = shelf {
            let mut bundles = shelf.kept();
            bundles.extend(shelf.installed());
            bundles.sort_by_key(|bundle| bundle.manifest.version);
            for bundle in bundles {
                book.version = bundle.manifest.version;
                let plain = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
                let of_kind = |ending: &'static str| {
                    let files = bundle
                        .files
                        .iter()
                        .filter(move |(name, _)| name.ends_with(ending));
                    files.map(|(name, bytes)| (plain(name), bytes.clone()))
                };
                let lists: Files = of_kind(".csv").collect();
                for (name, bytes) in of_kind(".xlsx") {
                    book.add(&name, &bytes, &lists);
                }
            }
        }
        book
    }

    fn add(&mut self, name: &str, bytes: &[u8], lists: &Files) {
        match Form::from_workbook(name.trim_end_matches(".xlsx"), bytes, lists) {
            Ok((form, _)) => self.put(form),
            Err(findings) => {
                let first = findings.first().map(ToString::to_string).unwrap_or_default();
                warn!(form = name, first, "a form of the catalogue cannot be used");
            }
        }
    }

    /// Adds a form; the last one of an id is its newest.
    pub fn put(&mut self, form: Form) {
        let form = Arc::new(form);
        let key = (form.id().to_owned(), form.version().to_owned());
        self.newest.insert(key.0.clone(), Arc::clone(&form));
        self.forms.insert(key, form);
    }

    /// The form of an id and version.
    pub fn get(&self, id: &str, version: &str) -> Option<&Arc<Form>> {
        self.forms.get(&(id.to_owned(), version.to_owned()))
    }

    /// The newest version of a form.
    pub fn newest(&self, id: &str) -> Option<&Arc<Form>> {
        self.newest.get(id)
    }

    /// The newest version of each form, by id.
    pub fn all(&self) -> Vec<&Arc<Form>> {
        let mut all: Vec<_> = self.newest.values().collect();
        all.sort_by_key(|form| form.id());
        all
    }
}
