//! The words and values that go on paper.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::devices::printer::{Profile, compose};
use crate::domain::document::{
    ChecklistPaper, ChecklistWords, Document, Pair, ReceiptPaper, ReceiptWords, ResumePaper, ResumeWords,
    TurnPaper, TurnWords, checklist, receipt, resume, turn_ticket,
};
use crate::domain::procedure::{Holder, Procedure, ProcedureId};
use crate::domain::redacted::mask_id;
use crate::domain::session::view::Tone;
use crate::domain::session::{Setup, SubmitRequest, TurnLook};
use crate::i18n::{self, Language};

/// A paper ready for the journal.
pub(super) struct Paper {
    pub(super) document: Document,
    /// For the first printer.
    pub(super) bytes: Vec<u8>,
}

impl Paper {
    pub(super) fn of(document: Document, profile: &Profile) -> Self {
        Self {
            bytes: compose(&document, profile),
            document,
        }
    }
}

/// Everything a receipt says that the request does not know.
pub(super) struct ReceiptFacts<'a> {
    pub(super) label: &'a str,
    pub(super) cost: Option<String>,
    pub(super) code: String,
    pub(super) token: String,
    pub(super) fingerprint: String,
    pub(super) at: Timestamp,
    pub(super) turn: Option<&'a str>,
    pub(super) copy: Option<u32>,
}

/// What the paper of a form that goes on later says.
pub(super) struct ResumeFacts {
    pub(super) procedure: ProcedureId,
    pub(super) language: Language,
    pub(super) code: String,
    pub(super) kept_at: Timestamp,
    pub(super) until: Timestamp,
}

/// The paper with the code of a form that goes on later; never with the digits that open it.
pub(super) fn resume_paper(
    setup: &Setup,
    facts: &ResumeFacts,
    copy: Option<u32>,
    profile: &Profile,
) -> Paper {
    let language = facts.language;
    let say = |key: &str| i18n::say(language, key);
    let procedure = setup.catalogue.procedure(&facts.procedure);
    let last_day = facts.until.to_zoned_datetime(setup.zone.clone());
    let document = resume(&ResumePaper {
        place: setup.place.clone(),
        office_kind: setup.office_kind.clone(),
        procedure: procedure
            .map(|procedure| procedure.printed_name(language).to_owned())
            .unwrap_or_default(),
        code: facts.code.clone(),
        facts: vec![
            Pair::new(say("paper-resume-kept"), stamp(facts.kept_at, &setup.zone)),
            Pair::new(
                say("paper-resume-until"),
                last_day.strftime("%d/%m/%Y").to_string(),
            ),
        ],
        steps: vec![
            say("paper-resume-kiosk"),
            say("paper-resume-digits"),
            say("paper-resume-counter"),
        ],
        notes: vec![say("paper-resume-not-sent"), say("paper-resume-secret")],
        device: i18n::fill(language, "kiosk-name", &[("name", &setup.kiosk)]),
        printed: stamp(facts.kept_at, &setup.zone),
        copy,
        words: ResumeWords {
            title: say("paper-resume"),
            code: say("paper-resume-code"),
            how: say("paper-resume-how"),
            copy: say("paper-copy"),
        },
    });
    Paper::of(document, profile)
}

/// The receipt of a submission.
pub(super) fn receipt_paper(
    setup: &Setup,
    request: &SubmitRequest,
    facts: &ReceiptFacts<'_>,
    profile: &Profile,
) -> Paper {
    let language = request.language;
    let say = |key: &str| i18n::say(language, key);
    let mut rows = vec![Pair::new(say("paper-registered"), stamp(facts.at, &setup.zone))];
    let mut declared = Vec::new();
    for answer in request.answers.iter().filter(|answer| answer.on_paper) {
        let value = answer.value.reveal();
        let shown = if answer.masked {
            mask_id(value)
        } else {
            value.clone()
        };
        let pair = Pair::new(&answer.label, shown);
        if answer.masked {
            rows.push(pair)
        } else {
            declared.push(pair)
        }
    }
    if let Some(cost) = &facts.cost {
        rows.push(Pair::new(say("paper-cost"), cost));
    }
    // "Ready to send" is no outcome; what is due or denied is.
    if let Some(result) = request
        .result
        .as_ref()
        .filter(|result| matches!(result.tone, Tone::Good | Tone::Bad))
    {
        rows.push(Pair::new(say("paper-result"), &result.title));
    }
    let mut next = Vec::new();
    if let Some(number) = facts.turn {
        next.push(i18n::fill(language, "paper-next-turn", &[("number", number)]));
        next.push(say("paper-next-id"));
    } else {
        next.push(say("paper-next-ask"));
    }
    // What is missing stands before what is merely good to know.
    for answer in request.answers.iter().filter(|answer| answer.at_counter) {
        let key = if answer.signs {
            "paper-next-sign"
        } else {
            "paper-next-bring"
        };
        next.push(i18n::fill(language, key, &[("what", &answer.label)]));
    }
    next.push(say("paper-next-keep"));
    let kiosk = i18n::fill(language, "kiosk-name", &[("name", &setup.kiosk)]);
    let document = receipt(&ReceiptPaper {
        place: setup.place.clone(),
        office_kind: setup.office_kind.clone(),
        procedure: facts.label.to_owned(),
        code: facts.code.clone(),
        facts: rows,
        declared,
        next,
        qr: Some(facts.token.clone()),
        seal: Some(i18n::fill(
            language,
            "paper-signature",
            &[("fingerprint", &facts.fingerprint)],
        )),
        device: i18n::fill(
            language,
            "paper-foot",
            &[("kiosk", &kiosk), ("version", &request.form.1)],
        ),
        copy: facts.copy,
        words: ReceiptWords {
            title: say("paper-receipt"),
            code: say("paper-code"),
            declared: say("paper-declared"),
            next: say("paper-next"),
            beside_qr: vec![
                say("paper-proof"),
                i18n::fill(language, "paper-ask", &[("phone", &setup.phone)]),
            ],
            original: say("paper-original"),
            copy: say("paper-copy"),
        },
    });
    Paper::of(document, profile)
}

/// The turn ticket. Its lane is nobody's business and is not a parameter.
pub(super) fn turn_paper(
    setup: &Setup,
    language: Language,
    turn: &TurnLook,
    at: Timestamp,
    copy: Option<u32>,
    profile: &Profile,
) -> Paper {
    let say = |key: &str| i18n::say(language, key);
    let kiosk = i18n::fill(language, "kiosk-name", &[("name", &setup.kiosk)]);
    let ahead = turn.ahead.map(|n| match n {
        0 => say("turn-ahead-none"),
        1 => say("turn-ahead-one"),
        n => i18n::fill(language, "turn-ahead-n", &[("n", &n.to_string())]),
    });
    let wait = turn.wait.map(|(from, to)| {
        i18n::fill(
            language,
            "turn-minutes",
            &[("from", &from.to_string()), ("to", &to.to_string())],
        )
    });
    let document = turn_ticket(&TurnPaper {
        place: setup.place.clone(),
        office_kind: setup.office_kind.clone(),
        number: turn.number.clone(),
        queue: turn.queue.clone(),
        ahead,
        wait,
        taken: stamp(at, &setup.zone),
        qr: Some(turn.qr.clone()),
        hours: (!setup.hours.is_empty())
            .then(|| i18n::fill(language, "paper-hours", &[("hours", &setup.hours)])),
        device: kiosk,
        check: turn.number.clone(),
        copy,
        words: TurnWords {
            your_turn: match i18n::beside(language, "paper-turn") {
                // Kichwa never stands without its Spanish.
                Some(spanish) => format!("{} · {spanish}", say("paper-turn")),
                None => say("paper-turn"),
            },
            ahead: say("paper-ahead"),
            wait: say("paper-wait"),
            taken: say("paper-taken"),
            beside_qr: vec![say("paper-board"), say("paper-scan")],
            notes: vec![say("paper-missed"), say("paper-free")],
            copy: say("paper-copy"),
        },
    });
    Paper::of(document, profile)
}

/// The list of what a procedure needs.
pub(super) fn list_paper(
    setup: &Setup,
    procedure: &Procedure,
    language: Language,
    at: Timestamp,
    profile: &Profile,
) -> Paper {
    let say = |key: &str| i18n::say(language, key);
    let items = procedure
        .has_input
        .iter()
        .map(|need| match need.who_has_it {
            Holder::Citizen => need.name.get(language).to_owned(),
            Holder::State(_) => format!("{} ({})", need.name.get(language), say("paper-list-city")),
        })
        .collect();
    let confirmed = procedure.has_input.iter().all(|need| need.confirmed);
    let date = setup
        .catalogue
        .compiled()
        .map(|date| date.strftime("%d/%m/%Y").to_string())
        .unwrap_or_default();
    let document = checklist(&ChecklistPaper {
        place: setup.place.clone(),
        office_kind: setup.office_kind.clone(),
        procedure: procedure.printed_name(language).to_owned(),
        items,
        facts: Vec::new(),
        qr: None,
        device: i18n::fill(language, "kiosk-name", &[("name", &setup.kiosk)]),
        printed: stamp(at, &setup.zone),
        words: ChecklistWords {
            title: say(if confirmed {
                "procedure-needs"
            } else {
                "procedure-needs-typical"
            }),
            beside_qr: Vec::new(),
            notes: vec![
                i18n::fill(language, "paper-list-foot", &[("date", &date)]),
                i18n::fill(language, "paper-ask", &[("phone", &setup.phone)]),
            ],
        },
    });
    Paper::of(document, profile)
}

/// `24/11/2026 10:15` in the office's zone.
pub(super) fn stamp(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone())
        .strftime("%d/%m/%Y %H:%M")
        .to_string()
}

#[cfg(test)]
#[path = "papers_tests.rs"]
mod tests;
