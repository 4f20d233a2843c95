//! Each paper of the kiosk as it reads in each language, with the words of the catalogue.
//!
//! How a paper looks on each printer is held in `devices::printer`; here it is what it says.

use std::collections::HashMap;
use std::sync::Arc;

use super::*;
use crate::domain::id::{Moment, SubmissionId};
use crate::domain::procedure::{Catalogue, quito};
use crate::domain::redacted::Redacted;
use crate::domain::search::SearchIndex;
use crate::domain::session::{AnswerRow, Delays};

fn setup() -> Setup {
    let (catalogue, findings) = Catalogue::parse(&quito::FILES);
    assert!(findings.is_empty(), "{findings:?}");
    Setup {
        edition: "first".into(),
        index: SearchIndex::new(&catalogue),
        catalogue: Arc::new(catalogue),
        forms: HashMap::new(),
        place: "Quitumbe".into(),
        office_kind: "Administración Zonal".into(),
        kiosk: "2".into(),
        hours: "08:00 a 16:30".into(),
        phone: "1800 510 510".into(),
        landscape: false,
        zone: TimeZone::get("America/Guayaquil").expect("zone"),
        delays: Delays::default(),
        device: "k2".into(),
        technician: None,
    }
}

fn at() -> Timestamp {
    "2026-11-24T15:15:00Z".parse().expect("a time")
}

/// The three languages of a paper, one after the other.
fn in_each(paper: impl Fn(Language) -> Paper) -> String {
    Language::ALL
        .into_iter()
        .map(|language| format!("== {}\n{}\n", language.code(), paper(language).document.to_text()))
        .collect()
}

#[test]
fn a_turn_ticket_says_the_same_in_each_language() {
    let (setup, profile) = (setup(), Profile::wide());
    let turn = TurnLook {
        number: "T-018".into(),
        queue: "Tributos".into(),
        ahead: Some(6),
        wait: Some((20, 30)),
        qr: "http://10.8.0.1/turno/0193f6a2".into(),
    };
    insta::assert_snapshot!(in_each(|language| turn_paper(
        &setup,
        language,
        &turn,
        at(),
        None,
        &profile
    )));
    let copy = turn_paper(&setup, Language::Spanish, &turn, at(), Some(2), &profile);
    assert!(copy.document.to_text().contains("COPIA 2"));
}

#[test]
fn a_receipt_says_the_same_in_each_language_and_masks_the_id() {
    let (setup, profile) = (setup(), Profile::wide());
    let procedure = setup
        .catalogue
        .procedures()
        .iter()
        .find(|procedure| procedure.form.is_some() && procedure.needs_turn)
        .expect("one with a form and a turn");
    let answer = |label: &str, value: &str, masked: bool| AnswerRow {
        name: label.into(),
        label: label.into(),
        value: Redacted::new(value.into()),
        masked,
        on_paper: true,
        at_counter: false,
        signs: false,
    };
    let moment = Moment {
        now: at(),
        random: [7; 16],
    };
    let request = |language| SubmitRequest {
        resumed: None,
        attempt: SubmissionId::new(moment),
        procedure: procedure.identifier.clone(),
        form: ("exoneracion".into(), "v7".into()),
        language,
        instance: Redacted::new(
            "<data><pay_number>512034</pay_number><pay_amount>84.2</pay_amount></data>".into(),
        ),
        answers: vec![
            answer("Cédula", "1710034065", true),
            answer("Predio", "512034", false),
        ],
        attachments: Vec::new(),
        result: None,
        consents: Vec::new(),
        turn: None,
    };
    let text = in_each(|language| {
        let facts = ReceiptFacts {
            label: procedure.printed_name(language),
            cost: None,
            code: "QT7M-4K2P".into(),
            token: "VENTANILLA:1:QT7M-4K2P".into(),
            fingerprint: "9F3A 61C0 B7D2 48E5".into(),
            at: at(),
            turn: Some("T-018"),
            copy: None,
        };
        receipt_paper(&setup, &request(language), &facts, &profile)
    });
    assert!(!text.contains("1710034065"), "the whole number is on no paper");
    insta::assert_snapshot!(text);
    insta::assert_snapshot!(in_each(|language| {
        super::super::payment::paper(&setup, &request(language), at(), None, &profile).expect("an order")
    }));
}

#[test]
fn a_list_of_what_to_bring_says_the_same_in_each_language() {
    let (setup, profile) = (setup(), Profile::wide());
    let procedure = setup
        .catalogue
        .procedures()
        .iter()
        .find(|procedure| procedure.has_input.len() > 1 && procedure.form.is_some())
        .expect("one that needs something");
    insta::assert_snapshot!(in_each(|language| list_paper(
        &setup,
        procedure,
        language,
        at(),
        &profile
    )));
}
