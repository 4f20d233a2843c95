//! From the texts of the files to the catalogue, and what is wrong with them.
//!
//! A file is cut at its `[[…]]` lines and each piece is read alone, so that a missing quote spoils one entry and not
//! the file.
//! An entry is left out rather than half understood: a kiosk must not show a fee it guessed.

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::piece::{CatalogueFinding, Piece, choose, cut, explain, nearest};
use super::raw::{
    RawCategory, RawCost, RawFact, RawFileHead, RawHead, RawLifeEvent, RawProcedure, RawQueue, RawTime,
};
use super::{
    Catalogue, CatalogueQueue, Category, CategoryId, Channel, Cost, Fact, FormFile, Holder, InputNeeded,
    LifeEvent, LifeEventId, Procedure, ProcedureId, ProcessingTime, QueueRef, Source, Text,
};

/// Reads the files; see [`Catalogue::parse`].
pub(super) fn load(files: &[(&str, &str)]) -> (Catalogue, Vec<CatalogueFinding>) {
    let mut loader = Loader::default();
    let is_head = |name: &str| name.rsplit('/').next() == Some("catalogue.toml");

    match files.iter().find(|(name, _)| is_head(name)) {
        Some((name, text)) => loader.read_head(name, text),
        None => loader.findings.push(CatalogueFinding {
            file: "catalogue.toml".into(),
            line: 1,
            what: "The catalogue has no file catalogue.toml, so no category is known".into(),
            cure: "put it beside the folder procedures".into(),
        }),
    }
    for (name, text) in files
        .iter()
        .filter(|(name, _)| name.ends_with(".toml") && !is_head(name))
    {
        loader.read_procedures(name, text);
    }
    loader.settle_life_events();
    (loader.catalogue, loader.findings)
}

#[derive(Default)]
struct Loader<'a> {
    catalogue: Catalogue,
    findings: Vec<CatalogueFinding>,
    life_events: Vec<(Piece<'a>, RawLifeEvent)>,
    ranks: HashSet<u16>,
}

impl<'a> Loader<'a> {
    fn read_head(&mut self, file: &'a str, text: &'a str) {
        let (head, pieces) = cut(file, text);
        if let Some(head) = self.read::<RawHead>(&head) {
            self.catalogue.title = head.title;
            self.catalogue.sources = head.sources.trim().to_owned();
            self.catalogue.compiled = head.compiled.parse().ok();
        }
        for piece in &pieces {
            match piece.kind {
                "queue" => self.add_queue(piece),
                "category" => {} // After every queue is known.
                "life_event" => {
                    if let Some(event) = self.read_one(piece) {
                        self.life_events.push((*piece, event));
                    }
                }
                _ => self.unknown_kind(piece, "queue, category and life_event"),
            }
        }
        for piece in pieces.iter().filter(|piece| piece.kind == "category") {
            self.add_category(piece);
        }
    }

    fn add_queue(&mut self, piece: &Piece<'_>) {
        let Some(raw) = self.read_one::<RawQueue>(piece) else {
            return;
        };
        let identifier = QueueRef::new(raw.identifier);
        let mut letters = raw.series.chars();
        let (Some(series @ 'A'..='Z'), None) = (letters.next(), letters.next()) else {
            let what = format!(
                "The series \"{}\" of the queue {identifier} is not one letter; the queue is left out",
                raw.series
            );
            return self.find(piece, "series", what, "write one capital letter from A to Z");
        };
        if self.catalogue.queue(&identifier).is_some() {
            let what = format!("The queue {identifier} stands twice; the second is left out");
            return self.find(
                piece,
                "identifier",
                what,
                "give it another identifier or remove it",
            );
        }
        if let Some(other) = self.catalogue.queues.iter().find(|queue| queue.series == series) {
            let what = format!(
                "The queues {} and {identifier} share the letter {series}; the second is left out",
                other.identifier
            );
            return self.find(
                piece,
                "series",
                what,
                "choose another letter, or two people will hold the same number",
            );
        }
        self.catalogue.queues.push(CatalogueQueue {
            identifier,
            series,
            name: raw.name,
        });
    }

    fn add_category(&mut self, piece: &Piece<'_>) {
        let Some(raw) = self.read_one::<RawCategory>(piece) else {
            return;
        };
        let identifier = CategoryId::new(raw.identifier);
        if self.catalogue.category(&identifier).is_some() {
            let what = format!("The category {identifier} stands twice; the second is left out");
            return self.find(
                piece,
                "identifier",
                what,
                "give it another identifier or remove it",
            );
        }
        let mut queues = Vec::new();
        for queue in raw.queues {
            let queue = QueueRef::new(queue);
            if self.catalogue.queue(&queue).is_some() {
                queues.push(queue);
            } else {
                let what = format!("The category {identifier} names the queue {queue}, which does not exist");
                let cure = self.known_queues(queue.as_str());
                self.find(piece, "queues", what, &cure);
            }
        }
        if queues.is_empty() {
            let what =
                format!("The category {identifier} goes to no queue and is left out with its procedures");
            return self.find(piece, "queues", what, "name at least one queue");
        }
        self.catalogue.categories.push(Category {
            identifier,
            name: raw.name,
            icon: raw.icon,
            queues,
        });
    }

    fn read_procedures(&mut self, file: &'a str, text: &'a str) {
        let (head, pieces) = cut(file, text);
        let Some(area) = self.read::<RawFileHead>(&head) else {
            return;
        };
        let area = CategoryId::new(area.thematic_area);
        let Some(category) = self.catalogue.category(&area).cloned() else {
            let known: Vec<_> = self
                .catalogue
                .categories
                .iter()
                .map(|c| c.identifier.as_str())
                .collect();
            let cure = choose(area.as_str(), &known);
            let what =
                format!("The category {area} does not exist; the procedures of this file are left out");
            return self.find(&head, "thematic_area", what, &cure);
        };
        for piece in &pieces {
            if piece.kind == "procedure" {
                self.add_procedure(piece, &category);
            } else {
                self.unknown_kind(piece, "procedure");
            }
        }
    }

    fn add_procedure(&mut self, piece: &Piece<'_>, category: &Category) {
        let Some(raw) = self.read_one::<RawProcedure>(piece) else {
            return;
        };
        let id = raw.identifier.clone();
        let out = |what: String| format!("{what}; the procedure {id} is left out");

        if !is_slug(&id) {
            let what = format!(
                "The identifier \"{id}\" has other characters than a–z, 0–9 and hyphens; the procedure is left out"
            );
            return self.find(
                piece,
                "identifier",
                what,
                "write it like exoneracion-predial-adulto-mayor",
            );
        }
        let identifier = ProcedureId::new(id.clone());
        if self.catalogue.procedure(&identifier).is_some() {
            let what = format!("The identifier {id} stands twice; the second procedure is left out");
            return self.find(
                piece,
                "identifier",
                what,
                "give it another identifier or remove it",
            );
        }
        let queue = raw
            .queue
            .map_or_else(|| category.queues[0].clone(), QueueRef::new);
        if self.catalogue.queue(&queue).is_none() {
            let cure = self.known_queues(queue.as_str());
            return self.find(
                piece,
                "queue",
                out(format!("The queue {queue} does not exist")),
                &cure,
            );
        }
        if let Some(form) = &raw.form
            && (!form.ends_with(".xlsx") || form.contains(['/', '\\']))
        {
            let what = out(format!("The form \"{form}\" is not the name of an .xlsx file"));
            return self.find(
                piece,
                "form",
                what,
                "write the name of a file in the folder procedures",
            );
        }
        let mut has_input = Vec::new();
        for input in raw.has_input {
            let Some(who_has_it) = holder(&input.who_has_it) else {
                let what = out(format!("Nobody knows who \"{}\" is", input.who_has_it));
                return self.find(
                    piece,
                    "who_has_it",
                    what,
                    "write \"citizen\" or \"state:\" and the entity",
                );
            };
            has_input.push(InputNeeded {
                name: input.name,
                detail: input.detail,
                who_has_it,
                confirmed: !input.unconfirmed,
            });
        }
        let channel = |c: super::raw::RawChannel| Channel {
            kind: c.kind,
            detail: c.detail,
            confirmed: !c.unconfirmed,
        };

        let Some(has_cost) = raw.has_cost.told() else {
            return self.says_nothing(
                piece,
                "has_cost",
                &id,
                "free = true, es = \"…\" or unconfirmed = true",
            );
        };
        let Some(processing_time) = raw.processing_time.told() else {
            return self.says_nothing(
                piece,
                "processing_time",
                &id,
                "immediate = true, es = \"…\" or unconfirmed = true",
            );
        };
        let words = [
            ("produces", Some(raw.produces)),
            ("is_for", raw.is_for),
            ("eligibility", raw.eligibility),
            ("advice", raw.advice),
        ];
        let mut told = Vec::new();
        for (key, fact) in words {
            match fact.map(RawFact::told) {
                None => told.push(None),
                Some(Some(fact)) => told.push(Some(fact)),
                Some(None) => return self.says_nothing(piece, key, &id, "es = \"…\" or unconfirmed = true"),
            }
        }
        let [produces, is_for, eligibility, advice] = <[_; 4]>::try_from(told).expect("four facts went in");

        let rank = raw.rank.filter(|rank| {
            let free = self.ranks.insert(*rank);
            if !free {
                let what = format!(
                    "The rank {rank} of {id} is taken; {id} keeps its place in the lists but has no rank"
                );
                self.findings.push(piece.finding(
                    "rank",
                    what,
                    "give each procedure of the home screen its own rank",
                ));
            }
            free
        });

        self.catalogue
            .by_id
            .insert(identifier.clone(), self.catalogue.procedures.len());
        self.catalogue.procedures.push(Procedure {
            identifier,
            short_name: raw.short_name.unwrap_or_else(|| raw.name.clone()),
            name: raw.name,
            description: raw.description,
            neutral_label: raw.neutral_label,
            neutral_on_screen: raw.neutral_on_screen,
            thematic_area: category.identifier.clone(),
            has_competent_authority: raw.has_competent_authority,
            is_for: is_for.unwrap_or_default(),
            eligibility: eligibility.unwrap_or_default(),
            kiosk_mode: raw.kiosk_mode,
            internal: raw.internal,
            queue,
            needs_turn: raw.needs_turn,
            rank,
            form: raw.form.map(FormFile::new),
            minutes_here: raw.minutes_here,
            has_cost,
            processing_time,
            has_input,
            has_channel: raw.has_channel.into_iter().map(channel).collect(),
            produces: produces.unwrap_or_default(),
            has_legal_resource: raw.has_legal_resource,
            advice,
            keywords: raw.keywords,
            official_code: raw.official_code,
            source: Source {
                url: raw.source.url,
                scope: raw.source.scope,
            },
            note: raw.note,
        });
    }

    /// Only when every procedure is known can a life event be checked.
    fn settle_life_events(&mut self) {
        for (piece, raw) in std::mem::take(&mut self.life_events) {
            let identifier = LifeEventId::new(raw.identifier);
            if self.catalogue.life_event(&identifier).is_some() {
                let what = format!("The life event {identifier} stands twice; the second is left out");
                self.find(
                    &piece,
                    "identifier",
                    what,
                    "give it another identifier or remove it",
                );
                continue;
            }
            let mut procedures = Vec::new();
            for id in raw.procedures {
                let id = ProcedureId::new(id);
                if self.catalogue.procedure(&id).is_some() {
                    procedures.push(id);
                } else {
                    let known: Vec<_> = self
                        .catalogue
                        .procedures
                        .iter()
                        .map(|p| p.identifier.as_str())
                        .collect();
                    let cure = match nearest(id.as_str(), &known) {
                        Some(near) => format!("perhaps it is {near}"),
                        None => "write the identifier of a procedure of this catalogue".to_owned(),
                    };
                    let what = format!(
                        "The life event {identifier} names the procedure {id}, which is not there; it goes on without it"
                    );
                    self.find(&piece, &format!("\"{id}\""), what, &cure);
                }
            }
            self.catalogue.life_events.push(LifeEvent {
                identifier,
                name: raw.name,
                icon: raw.icon,
                procedures,
            });
        }
    }

    /// The only entry of a piece, or a finding.
    fn read_one<T: DeserializeOwned>(&mut self, piece: &Piece<'_>) -> Option<T> {
        #[derive(Deserialize)]
        struct One<T> {
            #[serde(
                alias = "queue",
                alias = "category",
                alias = "life_event",
                alias = "procedure"
            )]
            entry: Vec<T>,
        }
        self.read::<One<T>>(piece).and_then(|mut one| one.entry.pop())
    }

    fn read<T: DeserializeOwned>(&mut self, piece: &Piece<'_>) -> Option<T> {
        match toml::from_str(piece.text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.findings.push(explain(piece, &error));
                None
            }
        }
    }

    fn find(&mut self, piece: &Piece<'_>, key: &str, what: String, cure: &str) {
        self.findings.push(piece.finding(key, what, cure));
    }

    fn says_nothing(&mut self, piece: &Piece<'_>, key: &str, id: &str, choices: &str) {
        let what = format!("The key {key} says nothing; the procedure {id} is left out");
        self.find(piece, key, what, &format!("write {choices}"));
    }

    fn unknown_kind(&mut self, piece: &Piece<'_>, known: &str) {
        let what = format!(
            "An entry [[{}]] means nothing in this file and is left out",
            piece.kind
        );
        self.find(piece, "[[", what, &format!("this file has {known}"));
    }

    fn known_queues(&self, wrong: &str) -> String {
        let known: Vec<_> = self
            .catalogue
            .queues
            .iter()
            .map(|queue| queue.identifier.as_str())
            .collect();
        choose(wrong, &known)
    }
}

impl RawFact {
    fn told(self) -> Option<Fact<Text>> {
        told(self.words, self.unconfirmed)
    }
}

impl RawCost {
    fn told(self) -> Option<Fact<Cost>> {
        let cost = if self.free {
            Some(Cost::Free)
        } else {
            self.words.map(Cost::Described)
        };
        told(cost, self.unconfirmed)
    }
}

impl RawTime {
    fn told(self) -> Option<Fact<ProcessingTime>> {
        let time = if self.immediate {
            Some(ProcessingTime::Immediate)
        } else {
            self.words.map(ProcessingTime::Described)
        };
        told(time, self.unconfirmed)
    }
}

/// Nothing said and not marked as unconfirmed is an oversight, not a fact.
fn told<T>(value: Option<T>, unconfirmed: bool) -> Option<Fact<T>> {
    match (value, unconfirmed) {
        (Some(value), false) => Some(Fact::Confirmed(value)),
        (Some(value), true) => Some(Fact::Unconfirmed(value)),
        (None, true) => Some(Fact::Unknown),
        (None, false) => None,
    }
}

fn holder(text: &str) -> Option<Holder> {
    match text.split_once(':') {
        None if text == "citizen" => Some(Holder::Citizen),
        Some(("state", entity)) if !entity.trim().is_empty() => Some(Holder::State(entity.trim().to_owned())),
        _ => None,
    }
}

fn is_slug(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}
