//! Filling a form: one question a screen, the review, the lane, the consent.

mod show;

use show::{consent_words, violation_words};

use std::sync::Arc;

use super::draw::Draw;
use super::question::Way;
use super::search_box::Typing;
use super::turn::turn_queue;
use super::view::{Progress, Tone};
use super::{
    AnswerRow, ConsentGiven, Effect, Input, Key, Outcome, ResultBox, Session, Shut, State, SubmitRequest,
    TurnWish, UsageMark,
};
use crate::domain::id::{Moment, SubmissionId, uuid_v7};
use crate::domain::procedure::{Procedure, ProcedureId, Text};
use crate::domain::redacted::{Redacted, mask_id};
use crate::domain::ticket::Lane;
use crate::forms::{Answer, Engine, Env, Form, Kind, QuestionId};
use crate::i18n::{self, Language};

/// One citizen's form; everything in it is wiped when it is dropped.
pub(super) struct FormRun {
    procedure: ProcedureId,
    name: Text,
    queue: Option<String>,
    engine: Engine,
    form: Arc<Form>,
    attempt: SubmissionId,
    step: Step,
    typing: Typing,
    choice_page: usize,
    from_review: bool,
    notice: Option<Notice>,
    lane: Option<Lane>,
    /// The queue gives no turns now: the form goes without one.
    shut: Option<Shut>,
    consents: [bool; 3],
    /// Consents that were missing when the citizen wanted to send.
    missing: Vec<usize>,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Question(QuestionId),
    Review { page: usize },
    Lane,
    Consent,
}

/// A step of a form with what lies over it, and how many consents were found missing.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spot(Step, Option<Notice>, usize);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Notice {
    Why,
    Privacy,
}

/// Truth and use are needed; messages are an offer.
const CONSENTS: [&str; 3] = ["consent-truth", "consent-use", "consent-messages"];
const NEEDED: usize = 2;
const MESSAGES: usize = 2;

impl FormRun {
    pub(super) fn begin(
        procedure: &Procedure,
        form: Arc<Form>,
        session: &Session,
        moment: Moment,
    ) -> Option<Self> {
        let attempt = SubmissionId::new(moment);
        let seed = u64::from_be_bytes(moment.random[8..16].try_into().ok()?);
        let env = Env {
            now: moment.now.to_zoned_datetime(session.setup.zone.clone()),
            seed,
            instance_id: format!("uuid:{attempt}"),
            device_id: session.setup.kiosk.clone(),
        };
        let mut engine = Engine::new(form.clone(), env).ok()?;
        engine.set_language(session.language().code());
        // Two procedures may share one form: it asks which one only where it was not told.
        let told = format!("/{}/{TOLD_PROCEDURE}", root(&engine)?);
        let _ = engine.set_path(&told, procedure.identifier.as_str());
        let first = engine.questions().into_iter().next()?;
        let mut run = Self {
            procedure: procedure.identifier.clone(),
            name: procedure.short_name.clone(),
            queue: turn_queue(procedure),
            engine,
            form,
            attempt,
            step: Step::Review { page: 0 },
            typing: Typing::default(),
            choice_page: 0,
            from_review: false,
            notice: None,
            lane: None,
            shut: None,
            consents: [false; 3],
            missing: Vec::new(),
        };
        run.ask(first);
        Some(run)
    }

    pub(super) fn set_language(&mut self, language: Language) {
        self.engine.set_language(language.code());
    }

    fn ask(&mut self, id: QuestionId) {
        let question = self.engine.question(id);
        self.typing = Way::of(&question).typing(&question.value);
        self.choice_page = 0;
        self.step = Step::Question(id);
    }

    fn position(&self, id: &QuestionId) -> (usize, Vec<QuestionId>) {
        let all = self.engine.questions();
        (all.iter().position(|other| other == id).unwrap_or(0), all)
    }

    /// Goes on from a question, or says what is wrong with its answer.
    fn go_on(&mut self, id: &QuestionId, language: Language) {
        let question = self.engine.question(*id);
        let way = Way::of(&question);
        if way.keyboard().is_some() {
            let Some(value) = way.value(self.typing.text()) else {
                self.typing.wrong = Some(i18n::say(language, "wrong-date"));
                return;
            };
            if self.engine.set(*id, &value).is_err() {
                self.typing.wrong = Some(i18n::say(language, "wrong-constraint"));
                return;
            }
        }
        if let Err(violation) = self.engine.check(*id) {
            self.typing.wrong = Some(violation_words(&violation, way, language));
            return;
        }
        if self.from_review {
            self.review(language);
            return;
        }
        let (at, all) = self.position(id);
        match all.get(at + 1) {
            Some(next) => self.ask(*next),
            None => self.review(language),
        }
    }

    /// The review, unless an answer is still missing: a change may have opened new questions.
    fn review(&mut self, language: Language) {
        self.from_review = true;
        match self.engine.violations().into_iter().next() {
            Some((id, _)) => {
                let unanswered = self.engine.question(id).value.is_empty();
                self.ask(id);
                if !unanswered {
                    let way = Way::of(&self.engine.question(id));
                    if let Err(violation) = self.engine.check(id) {
                        self.typing.wrong = Some(violation_words(&violation, way, language));
                    }
                }
            }
            None => self.step = Step::Review { page: 0 },
        }
    }

    fn choose(&mut self, at: usize) {
        let Step::Question(id) = self.step.clone() else {
            return;
        };
        let question = self.engine.question(id);
        let Some(choice) = question.choices.get(at) else {
            return;
        };
        let value = match Way::of(&question) {
            Way::Several => {
                let mut chosen: Vec<&str> = question.value.split_whitespace().collect();
                match chosen.iter().position(|name| *name == choice.name) {
                    Some(there) => {
                        chosen.remove(there);
                    }
                    None => chosen.push(&choice.name),
                }
                chosen.join(" ")
            }
            _ => choice.name.clone(),
        };
        self.typing.wrong = self
            .engine
            .set(id, &value)
            .err()
            .map(|_| i18n::say(Language::Spanish, "wrong-constraint"));
    }

    fn phone(&self) -> Option<String> {
        self.engine
            .answers()
            .into_iter()
            .find(|answer| answer.appearance.iter().any(|a| a == "phone") && !answer.raw.is_empty())
            .map(|answer| mask_id(&answer.raw))
    }

    /// What the form concluded, by the convention of `catalogue/quito/README.md`: calculations cannot be
    /// translated, so English has a pair of its own.
    fn result(&self, language: Language) -> Option<ResultBox> {
        let root = root(&self.engine)?;
        let value = |name: &str| {
            self.engine
                .value_path(&format!("/{root}/{name}"))
                .filter(|text| !text.is_empty())
        };
        let said = |name: &str| match language {
            Language::English => value(&format!("{name}_en")).or_else(|| value(name)),
            Language::Spanish | Language::Kichwa => value(name),
        };
        let tone = match value("result_tone").as_deref() {
            Some("good") => Tone::Good,
            Some("bad") => Tone::Bad,
            Some("warn") => Tone::Warn,
            _ => Tone::Info,
        };
        Some(ResultBox {
            tone,
            title: said("result_title")?,
            text: said("result_text").unwrap_or_default(),
        })
    }

    fn request(&self, language: Language, moment: Moment) -> SubmitRequest {
        let phone = self.phone();
        let consents = CONSENTS
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != MESSAGES || phone.is_some())
            .map(|(at, key)| ConsentGiven {
                key,
                text: consent_words(key, phone.as_deref(), language),
                accepted: self.consents[at],
            })
            .collect();
        let wish = self.queue.clone().zip(self.lane).filter(|_| self.shut.is_none());
        SubmitRequest {
            attempt: self.attempt,
            procedure: self.procedure.clone(),
            form: (self.form.id().to_owned(), self.form.version().to_owned()),
            language,
            instance: Redacted::new(self.engine.instance_xml_at(moment.now)),
            answers: self.engine.answers().into_iter().map(answer_row).collect(),
            result: self.result(language),
            consents,
            turn: wish.map(|(queue, lane)| TurnWish {
                request: uuid_v7(moment),
                queue,
                lane,
                language,
            }),
        }
    }

    /// The question about the lane, where the form goes with a turn.
    fn before_consent(&self) -> Option<Step> {
        (self.queue.is_some() && self.shut.is_none()).then_some(Step::Lane)
    }

    /// The step and what lies over it.
    pub(super) fn spot(&self) -> Spot {
        Spot(self.step.clone(), self.notice, self.missing.len())
    }

    /// Why this form was sent without a turn, if its procedure has one.
    pub(super) fn without_turn(&self) -> Option<Shut> {
        self.shut
    }

    /// Where the citizen is, for a count that knows nobody: never an answer.
    pub(super) fn mark(&self, outcome: Outcome) -> UsageMark {
        UsageMark {
            procedure: self.procedure.clone(),
            step: match &self.step {
                Step::Question(id) => format!("question-{}", self.position(id).0 + 1),
                Step::Review { .. } => "review".to_owned(),
                Step::Lane => "lane".to_owned(),
                Step::Consent => "consent".to_owned(),
            },
            outcome,
        }
    }

    /// The procedure and the step, for the person who comes to help.
    pub(super) fn told_step(&self, session: &Session) -> String {
        let name = session
            .setup
            .catalogue
            .procedure(&self.procedure)
            .map(|procedure| procedure.printed_name(Language::Spanish).to_owned())
            .unwrap_or_default();
        let place = match &self.step {
            Step::Question(id) => {
                let (at, all) = self.position(id);
                let all = all.len().max(self.form.questions_at_most());
                i18n::fill(
                    Language::Spanish,
                    "form-place",
                    &[("n", &(at + 1).to_string()), ("of", &all.to_string())],
                )
            }
            Step::Review { .. } => i18n::say(Language::Spanish, "form-review-place"),
            Step::Lane | Step::Consent => i18n::say(Language::Spanish, "form-last-place"),
        };
        format!("{place} · {name}")
    }

    fn progress(&self, draw: &Draw<'_>, language: Language) -> Progress {
        // Answers open and close questions: nobody is promised fewer than may come.
        let open = self.engine.questions().len();
        let most = open.max(self.form.questions_at_most());
        let all = count(most);
        let (done, place) = match &self.step {
            Step::Question(id) => {
                let at = count(self.position(id).0);
                {
                    let key = if open < most {
                        "form-place-most"
                    } else {
                        "form-place"
                    };
                    (
                        at,
                        draw.fill(key, &[("n", &(at + 1).to_string()), ("of", &all.to_string())]),
                    )
                }
            }
            Step::Review { .. } => (all, draw.say("form-review-place")),
            Step::Lane | Step::Consent => (all, draw.say("form-last-place")),
        };
        Progress {
            name: self.name.get(language).to_owned(),
            place,
            done,
            of: all,
        }
    }
}

impl Session {
    pub(super) fn step_form(&mut self, input: Input, moment: Moment) -> Vec<Effect> {
        let language = self.language();
        let State::Filling(run) = &self.state else {
            return Vec::new();
        };
        let shut = run.queue.as_deref().and_then(|queue| self.shut(queue));
        let State::Filling(run) = &mut self.state else {
            return Vec::new();
        };
        if run.notice.is_some() {
            if matches!(input, Input::Understood | Input::Back | Input::Continue) {
                run.notice = None;
            }
            return Vec::new();
        }
        match (run.step.clone(), input) {
            (Step::Question(_), Input::Typed(letters)) => run.typing.typed(&letters),
            (Step::Question(id), Input::Key(Key::Enter) | Input::Continue) => run.go_on(&id, language),
            (Step::Question(_), Input::Key(key)) => run.typing.key(key),
            (Step::Question(_), Input::Choose(at)) => run.choose(at),
            (Step::Question(id), Input::NoAnswer) => {
                run.typing.key(Key::Clear);
                let _ = run.engine.set(id, "");
                run.go_on(&id, language);
            }
            (Step::Question(_), Input::Why) => run.notice = Some(Notice::Why),
            (Step::Question(_), Input::Page(by)) => {
                run.choice_page = run
                    .choice_page
                    .saturating_add_signed(isize::try_from(by).unwrap_or(0));
            }
            (Step::Question(id), Input::Back) => {
                if run.from_review {
                    run.review(language);
                    return Vec::new();
                }
                let (at, all) = run.position(&id);
                match at.checked_sub(1).and_then(|before| all.get(before)) {
                    Some(before) => run.ask(*before),
                    // The first question's way back is the procedure; what was written is dropped.
                    None => {
                        let mark = run.mark(Outcome::Left);
                        self.state = State::Browsing;
                        return vec![Effect::Count(mark)];
                    }
                }
            }
            (Step::Review { page }, Input::Page(by)) => {
                run.step = Step::Review {
                    page: page.saturating_add_signed(isize::try_from(by).unwrap_or(0)),
                };
            }
            (Step::Review { .. }, Input::Change(at)) => {
                if let Some(answer) = run.engine.answers().into_iter().nth(at) {
                    run.from_review = true;
                    run.ask(answer.id);
                }
            }
            (Step::Review { .. }, Input::Continue) => {
                run.review(language);
                if matches!(run.step, Step::Review { .. }) {
                    run.shut = shut;
                    run.step = run.before_consent().unwrap_or(Step::Consent);
                }
            }
            (Step::Review { .. }, Input::Back) => {
                run.from_review = false;
                if let Some(last) = run.engine.questions().into_iter().last() {
                    run.ask(last);
                }
            }
            (Step::Lane, Input::Lane(lane)) => {
                run.lane = Some(lane);
                run.step = Step::Consent;
            }
            (Step::Lane, Input::Back) => run.step = Step::Review { page: 0 },
            (Step::Consent, Input::Consent(at)) => {
                if let Some(given) = run.consents.get_mut(at) {
                    *given = !*given;
                    run.missing.retain(|missing| *missing != at);
                }
            }
            (Step::Consent, Input::FullNotice) => run.notice = Some(Notice::Privacy),
            (Step::Consent, Input::Back) => {
                run.step = run.before_consent().unwrap_or(Step::Review { page: 0 });
            }
            (Step::Consent, Input::Send) => {
                run.missing = (0..NEEDED).filter(|at| !run.consents[*at]).collect();
                if run.missing.is_empty() {
                    let request = run.request(language, moment);
                    let State::Filling(run) = std::mem::replace(&mut self.state, State::Saving(None)) else {
                        return Vec::new();
                    };
                    self.state = State::Saving(Some(run));
                    return vec![Effect::Submit(Box::new(request))];
                }
            }
            // A touch meant for a screen that is gone.
            (_, _) => {}
        }
        Vec::new()
    }
}

impl State {
    /// Back to the consent page after a commit that was refused; the answers are still there.
    pub(super) fn reopened(run: Box<FormRun>) -> Self {
        Self::Filling(run)
    }
}
fn answer_row(answer: Answer) -> AnswerRow {
    let looks = |names: &[&str]| {
        answer
            .appearance
            .iter()
            .any(|appearance| names.contains(&appearance.as_str()))
    };
    AnswerRow {
        masked: looks(&["cedula", "ruc", "phone", "masked"]),
        // Amounts, years, numbers and choices; never a story, a name, an address or a telephone.
        on_paper: looks(&["cedula", "ruc", "money", "predio", "year"])
            || matches!(answer.kind, Kind::Decimal),
        value: Redacted::new(answer.display),
        name: answer.name,
        label: answer.label,
    }
}

/// The hidden field in which a form learns for which procedure it is filled.
const TOLD_PROCEDURE: &str = "tramite";

/// The name of the instance's root.
fn root(engine: &Engine) -> Option<String> {
    let first = engine.questions().into_iter().next()?;
    engine.path_of(first).split('/').nth(1).map(str::to_owned)
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
