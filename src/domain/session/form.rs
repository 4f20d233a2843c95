//! Filling a form: one question a screen, pages of several, repeats as cards, the review, the lane, the consent.
//!
//! [`course`] knows the way, [`answers`] what is answered, [`list`] finds in long lists; [`ask`], [`page`] and [`show`]
//! say what the screens look like.

mod answers;
mod ask;
mod course;
mod draft;
mod list;
mod page;
mod show;

use show::consent_words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::draw::Draw;
use super::search_box::Typing;
use super::turn::turn_queue;
use super::view::{Progress, Tone};
use super::{
    ConsentGiven, Effect, Input, NotKept, Outcome, ResultBox, Session, Shut, State, SubmitRequest, TurnWish,
    UsageMark,
};
use crate::domain::id::{Moment, SubmissionId, uuid_v7};
use crate::domain::procedure::{Procedure, ProcedureId, Text};
use crate::domain::redacted::{Redacted, mask_id};
use crate::domain::resume::DraftId;
use crate::domain::sketch::Sketch;
use crate::domain::ticket::Lane;
use crate::forms::{Engine, Env, Form, Question, QuestionId};
use crate::i18n::{self, Language};

pub use draft::{Draft, KeptForm, KeptRow};
use list::List;

/// One citizen's form; everything in it is wiped when it is dropped.
pub(super) struct FormRun {
    procedure: ProcedureId,
    name: Text,
    queue: Option<String>,
    engine: Engine,
    form: Arc<Form>,
    attempt: SubmissionId,
    step: Step,
    /// The question that is asked, as it stands: a long list is not filtered again for each look.
    asked: Option<Question>,
    /// What its page says over it.
    over: Vec<String>,
    typing: Typing,
    list: List,
    /// Which page of the choices; without it the one that shows what is chosen.
    choice_page: Option<usize>,
    /// Where a question leads back to that was opened from a page or from the cards of a repeat.
    way_back: Option<Step>,
    from_review: bool,
    /// What was drawn, by question.
    drawn: BTreeMap<QuestionId, Sketch>,
    /// Questions whose answer is brought to the counter.
    at_counter: BTreeSet<QuestionId>,
    /// The copy of a repeat that is about to go.
    removing: Option<usize>,
    notice: Option<Notice>,
    lane: Option<Lane>,
    /// The queue gives no turns now: the form goes without one.
    shut: Option<Shut>,
    consents: [bool; 3],
    /// Consents that were missing when the citizen wanted to send.
    missing: Vec<usize>,
    /// Answers that the form itself gave when it was opened.
    given: usize,
    /// The draft that it was opened from.
    resumed: Option<DraftId>,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Question(QuestionId),
    /// Several questions on one page, by the path of their group.
    Page(String),
    /// The copies of a repeat, by its path.
    Cards(String),
    Review {
        page: usize,
    },
    Lane,
    Consent,
}

/// A step of a form with what lies over it, and how many consents were found missing.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spot(Step, Option<Notice>, usize, bool, usize, bool);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Notice {
    Why,
    Privacy,
    /// The form was stopped and goes on; whether its questions are others by now.
    Back {
        changed: bool,
    },
    /// It could not be kept for later.
    NotKept(NotKept),
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
        let mut run = Self {
            procedure: procedure.identifier.clone(),
            name: procedure.short_name.clone(),
            queue: turn_queue(procedure),
            engine,
            form,
            attempt,
            step: Step::Review { page: 0 },
            asked: None,
            over: Vec::new(),
            typing: Typing::default(),
            list: List::default(),
            choice_page: None,
            way_back: None,
            from_review: false,
            drawn: BTreeMap::new(),
            at_counter: BTreeSet::new(),
            removing: None,
            notice: None,
            lane: None,
            shut: None,
            consents: [false; 3],
            missing: Vec::new(),
            given: 0,
            resumed: None,
        };
        run.given = run.engine.answers().len();
        run.start()?;
        Some(run)
    }

    /// What the procedure is called on the screen.
    pub(super) fn short_name(&self, language: Language) -> String {
        self.name.get(language).to_owned()
    }

    /// Says why it could not be kept for later; everything is as it was.
    pub(super) fn tell_not_kept(&mut self, why: NotKept) {
        self.notice = Some(Notice::NotKept(why));
    }

    pub(super) fn set_language(&mut self, language: Language) {
        self.engine.set_language(language.code());
        self.refresh();
        self.list = List::default();
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
            answers: self.rows(language).into_iter().map(|(_, row)| row).collect(),
            attachments: self.attachments(),
            result: self.result(language),
            consents,
            resumed: self.resumed,
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
        Spot(
            self.step.clone(),
            self.notice,
            self.missing.len(),
            self.list.is_open(),
            self.removing.unwrap_or(0),
            // What is wrong is said on the first sheet; while somebody types there is only one.
            self.typing.wrong.is_some()
                && self
                    .asked
                    .as_ref()
                    .is_some_and(|asked| super::question::Way::of(asked).keyboard().is_none()),
        )
    }

    /// Whether the citizen wanted to send and a consent was missing.
    pub(super) fn misses_consent(&self) -> bool {
        self.step == Step::Consent && !self.missing.is_empty()
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
                Step::Question(_) | Step::Page(_) | Step::Cards(_) => {
                    format!("question-{}", self.position().0 + 1)
                }
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
            Step::Question(_) | Step::Page(_) | Step::Cards(_) => {
                let (at, all) = self.position();
                let all = all.max(self.form.questions_at_most());
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
        let (at, open) = self.position();
        let most = open.max(self.form.questions_at_most());
        let all = count(most);
        let (done, place) = match &self.step {
            Step::Question(_) | Step::Page(_) | Step::Cards(_) => {
                let key = if open < most && draw.is_tight() {
                    "form-place-short"
                } else if open < most {
                    "form-place-most"
                } else {
                    "form-place"
                };
                (
                    count(at),
                    draw.fill(key, &[("n", &(at + 1).to_string()), ("of", &all.to_string())]),
                )
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
            (_, Input::Keep) => return self.keep(moment),
            (Step::Question(id), input) => {
                if run.step_question(id, input, language) {
                    // The first question's way back is the procedure; what was written is dropped.
                    let mark = run.mark(Outcome::Left);
                    self.state = State::Browsing;
                    return vec![Effect::Count(mark)];
                }
            }
            (Step::Page(path), input) => {
                if run.step_page(&path, input, language) {
                    let mark = run.mark(Outcome::Left);
                    self.state = State::Browsing;
                    return vec![Effect::Count(mark)];
                }
            }
            (Step::Cards(path), input) => {
                if run.step_cards(&path, input, language) {
                    let mark = run.mark(Outcome::Left);
                    self.state = State::Browsing;
                    return vec![Effect::Count(mark)];
                }
            }
            (Step::Review { page }, Input::Page(by)) => {
                run.step = Step::Review {
                    page: page.saturating_add_signed(isize::try_from(by).unwrap_or(0)),
                };
            }
            (Step::Review { .. }, Input::Change(at)) => {
                if let Some((id, _)) = run.rows(language).into_iter().nth(at) {
                    run.from_review = true;
                    run.ask(id);
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
                run.back_from_review();
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
