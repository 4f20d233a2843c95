//! Filling a form: one question a screen, the review, the lane, the consent.

use std::sync::Arc;

use super::browse::{keyboard, pager};
use super::draw::Draw;
use super::question::Way;
use super::search_box::Typing;
use super::turn::turn_queue;
use super::view::{Block, Face, Fact, Item, Progress, TextSize, Tone, View};
use super::{
    AnswerRow, ConsentGiven, Effect, Input, Key, Outcome, ResultBox, Session, Shut, State, SubmitRequest,
    TurnWish, UsageMark,
};
use crate::domain::id::{Moment, SubmissionId, uuid_v7};
use crate::domain::procedure::{Procedure, ProcedureId, Text};
use crate::domain::redacted::{Redacted, mask_id};
use crate::domain::ticket::Lane;
use crate::forms::{Answer, Engine, Env, Form, Kind, QuestionId, Violation};
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

    pub(super) fn show_form(&self, run: &FormRun, draw: &mut Draw<'_>) -> View {
        let progress = run.progress(draw, self.language());
        let mut view = match (run.notice, &run.step) {
            (Some(Notice::Why), Step::Question(id)) => {
                let question = run.engine.question(*id);
                let mut view = draw.page(Face::Notice, draw.words("form-why"));
                view.blocks = vec![Block::Text(question.guidance)];
                view.primary = Some(draw.button("check", "form-understood", Input::Understood));
                view
            }
            (Some(_), _) => self.show_privacy_notice(draw),
            (None, Step::Question(id)) => self.show_question(run, id, draw),
            (None, Step::Review { page }) => self.show_review(run, *page, draw),
            (None, Step::Lane) => {
                let mut view = self.show_lane(
                    run.queue.as_deref().unwrap_or_default(),
                    Some(progress.clone()),
                    draw,
                );
                draw.private(&mut view);
                return self.sheets(view, true, draw);
            }
            (None, Step::Consent) => self.show_consent(run, draw),
        };
        view.progress = Some(progress);
        view.bottom = draw.bottom_back();
        draw.private(&mut view);
        match (run.notice, &run.step) {
            (None, Step::Question(_)) => self.page_choices(run, view, draw),
            (None, Step::Consent) => self.sheets(view, true, draw),
            (None, Step::Review { .. }) if self.comfort.size == TextSize::Normal && !self.is_low() => view,
            (None, Step::Review { .. }) => self.sheets(view, true, draw),
            (Some(_), _) | (None, Step::Lane) => self.sheets(view, false, draw),
        }
    }

    fn show_question(&self, run: &FormRun, id: &QuestionId, draw: &mut Draw<'_>) -> View {
        let question = run.engine.question(*id);
        let way = Way::of(&question);
        let mut view = draw.page(Face::Question, question.label.clone().into());
        view.help = question.hint.clone();
        match way {
            Way::One | Way::Several => {
                if let Some(wrong) = &run.typing.wrong {
                    view.blocks.push(wrong_note(wrong));
                }
                self.show_choices(&question, way, &mut view, draw);
            }
            Way::Read => {}
            Way::Letters | Way::Email | Way::Digits { .. } | Way::Date | Way::Money => {
                let typed = run.typing.text();
                let counter = match way {
                    Way::Digits { most, exact: true } => draw.fill(
                        "form-digits",
                        &[("n", &typed.len().to_string()), ("of", &most.to_string())],
                    ),
                    _ => String::new(),
                };
                if view.help.is_empty() && way == Way::Date {
                    view.help = draw.say("form-date-help");
                }
                view.blocks.push(Block::Field {
                    label: String::new(),
                    value: way.grouped(typed),
                    placeholder: if way == Way::Date {
                        draw.say("form-date-placeholder")
                    } else {
                        String::new()
                    },
                    counter,
                    wrong: run.typing.wrong.is_some(),
                });
                if let Some(wrong) = &run.typing.wrong {
                    view.blocks.push(wrong_note(wrong));
                    if self.comfort.size != TextSize::Normal || self.is_low() {
                        // What to do now is in the note; there is no room for both.
                        view.help.clear();
                    }
                }
                view.keyboard = way.keyboard().map(|kind| keyboard(kind, &run.typing, draw));
            }
        }
        let mut alone = Vec::new();
        if !question.required && !matches!(way, Way::Read | Way::Several) {
            alone.push(draw.button("", "form-none", Input::NoAnswer));
        }
        if !question.guidance.is_empty() {
            alone.push(draw.button("question", "form-why", Input::Why));
        }
        if !alone.is_empty() {
            view.blocks.push(Block::Buttons(alone));
        }
        view.primary = Some(draw.button("arrow-right", "form-continue", Input::Continue));
        view
    }

    fn show_choices(
        &self,
        question: &crate::forms::Question,
        way: Way,
        view: &mut View,
        draw: &mut Draw<'_>,
    ) {
        let several = way == Way::Several;
        if several && view.help.is_empty() {
            view.help = draw.say("form-several");
        }
        let chosen: Vec<&str> = question.value.split_whitespace().collect();
        let items = question
            .choices
            .iter()
            .enumerate()
            .map(|(at, choice)| Item {
                words: choice.label.clone().into(),
                chosen: chosen.contains(&choice.name.as_str()),
                action: draw.on(Input::Choose(at)),
                ..Item::default()
            })
            .collect();
        view.blocks.push(Block::Choices {
            several,
            items,
            chosen_word: draw.say("form-chosen"),
        });
    }

    /// Keeps as many choices as fit beside everything else, and a way to the others.
    fn page_choices(&self, run: &FormRun, mut view: View, draw: &mut Draw<'_>) -> View {
        let Some(at) = view
            .blocks
            .iter()
            .position(|block| matches!(block, Block::Choices { .. }))
        else {
            // What is typed has its field and its keys in sight; what is read pages.
            return if view.keyboard.is_some() {
                view
            } else {
                self.sheets(view, false, draw)
            };
        };
        let Block::Choices {
            several,
            items,
            chosen_word,
        } = view.blocks.remove(at)
        else {
            return view;
        };
        let one = |item| Block::Choices {
            several,
            items: vec![item],
            chosen_word: String::new(),
        };
        let fit = super::paging::that_fit(&view, self.setup.landscape, &items, one);
        let pages = items.len().div_ceil(fit).max(1);
        let page = run.choice_page.min(pages - 1);
        let shown = items.into_iter().skip(page * fit).take(fit).collect();
        if pages > 1 {
            view.blocks.insert(at, pager(page, pages, draw));
        }
        view.blocks.insert(
            at,
            Block::Choices {
                several,
                items: shown,
                chosen_word,
            },
        );
        view
    }

    fn show_review(&self, run: &FormRun, page: usize, draw: &mut Draw<'_>) -> View {
        let mut view = draw.page(Face::Review, draw.words("review-title"));
        let answers = run.engine.answers();
        // Larger letters page by sheets, together with the result.
        let fit = match (self.setup.landscape, self.comfort.size, self.is_low()) {
            (false, TextSize::Normal, false) => 7,
            (true, TextSize::Normal, false) => 10,
            (_, _, true) | (_, TextSize::Large | TextSize::Huge, _) => usize::MAX,
        };
        let pages = answers.len().div_ceil(fit).max(1);
        let page = page.min(pages - 1);
        let rows = answers
            .into_iter()
            .enumerate()
            .skip(page * fit)
            .take(fit)
            .map(|(at, answer)| {
                let row = answer_row(answer);
                let value = row.value.reveal();
                Fact {
                    icon: "pencil-simple",
                    label: row.label,
                    value: match (value.is_empty(), row.masked) {
                        (true, _) => draw.say("review-empty"),
                        (false, true) => mask_id(value),
                        (false, false) => value.clone(),
                    },
                    change: draw.on(Input::Change(at)),
                }
            })
            .collect();
        view.blocks = vec![Block::Review {
            rows,
            change_word: draw.say("review-change"),
        }];
        if pages > 1 {
            view.blocks.push(pager(page, pages, draw));
        }
        if let Some(result) = run.result(self.language()) {
            view.blocks.push(Block::Note {
                tone: result.tone,
                icon: if result.tone == Tone::Good {
                    "seal-check"
                } else {
                    "info"
                },
                title: result.title,
                text: result.text,
            });
        }
        view.primary = Some(draw.button("check", "review-good", Input::Continue));
        view
    }

    fn show_consent(&self, run: &FormRun, draw: &mut Draw<'_>) -> View {
        let mut view = draw.page(Face::Consent, draw.words("consent-title"));
        let line = |icon, title: String, text: String| Item {
            icon,
            words: title.into(),
            note: text,
            ..Item::default()
        };
        let answers = run.engine.answers().len().to_string();
        let lines = vec![
            line(
                "files",
                draw.say("consent-what"),
                draw.fill("consent-what-text", &[("n", &answers)]),
            ),
            line("lock-key", draw.say("consent-who"), draw.say("consent-who-text")),
            line(
                "scales",
                draw.say("consent-rights"),
                draw.fill("consent-rights-text", &[("phone", &self.setup.phone)]),
            ),
        ];
        let button = Some(draw.button("file-text", "consent-notice", Input::FullNotice));
        // What is missing stands over everything, also where larger letters make sheets of it.
        if let Some(shut) = run.shut {
            view.blocks.push(Block::Note {
                tone: Tone::Warn,
                icon: "ticket",
                title: draw.say("queue-shut-without"),
                text: self.shut_words(shut, draw),
            });
        }
        if !run.missing.is_empty() {
            let missing: Vec<String> = run.missing.iter().map(|at| draw.say(CONSENTS[*at])).collect();
            view.blocks.push(Block::Note {
                tone: Tone::Bad,
                icon: "warning-circle",
                title: draw.say("consent-missing"),
                text: missing.join(". "),
            });
        }
        view.blocks.push(Block::Panel {
            title: String::new(),
            lines,
            columns: false,
            button,
        });
        let phone = run.phone();
        let items = CONSENTS
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != MESSAGES || phone.is_some())
            .map(|(at, key)| Item {
                words: consent_words(key, phone.as_deref(), self.language()).into(),
                note: draw.say(if at < NEEDED {
                    "consent-needed"
                } else {
                    "consent-optional"
                }),
                chosen: run.consents[at],
                action: draw.on(Input::Consent(at)),
                ..Item::default()
            })
            .collect();
        view.blocks.push(Block::Choices {
            several: true,
            items,
            chosen_word: String::new(),
        });
        view.primary = Some(draw.button("paper-plane-tilt", "consent-send", Input::Send));
        view
    }

    fn show_privacy_notice(&self, draw: &mut Draw<'_>) -> View {
        let mut view = draw.page(Face::Notice, draw.words("notice-title"));
        let phone: &[(&str, &str)] = &[("phone", &self.setup.phone)];
        view.blocks = ["notice-1", "notice-2", "notice-3", "notice-4"]
            .map(|key| Block::Text(draw.fill(key, phone)))
            .to_vec();
        view.primary = Some(draw.button("check", "form-understood", Input::Understood));
        view
    }

    pub(super) fn show_saving(&self, form: bool, draw: &mut Draw<'_>) -> View {
        let title = draw.words(if form { "saving-title" } else { "saving-turn-title" });
        let mut view = draw.page(Face::Saving, title);
        view.help = draw.say("saving-help");
        view
    }
}

impl State {
    /// Back to the consent page after a commit that was refused; the answers are still there.
    pub(super) fn reopened(run: Box<FormRun>) -> Self {
        Self::Filling(run)
    }
}

fn wrong_note(wrong: &str) -> Block {
    // What is wrong stands first, in bold; what to do follows.
    let (title, text) = match wrong.split_once(". ") {
        Some((title, text)) => (format!("{title}."), text.to_owned()),
        None => (wrong.to_owned(), String::new()),
    };
    Block::Note {
        tone: Tone::Bad,
        icon: "warning-circle",
        title,
        text,
    }
}

fn violation_words(violation: &Violation, way: Way, language: Language) -> String {
    match violation {
        Violation::Required {
            message: Some(message),
        }
        | Violation::Constraint {
            message: Some(message),
        } => message.clone(),
        Violation::Required { message: None } => {
            let key = if way.keyboard().is_some() {
                "wrong-required-text"
            } else {
                "wrong-required"
            };
            i18n::say(language, key)
        }
        Violation::Constraint { message: None } => i18n::say(language, "wrong-constraint"),
        Violation::Type => i18n::say(language, "wrong-number"),
    }
}

fn consent_words(key: &str, phone: Option<&str>, language: Language) -> String {
    i18n::fill(language, key, &[("phone", phone.unwrap_or_default())])
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
