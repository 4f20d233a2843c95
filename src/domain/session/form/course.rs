//! The way through a form: what comes next, what came before, and how far it is.

use super::super::question::Way;
use super::super::{Input, Key};
use super::show::violation_words;
use super::{FormRun, List, Notice, Step};
use crate::forms::{CopyOf, Kind, Question, QuestionId, Stop, Violation};
use crate::i18n::{self, Language};

/// One screen of the way.
#[derive(Clone, Debug, PartialEq)]
struct Halt {
    step: Step,
    /// What stands on it, in order.
    parts: Vec<Part>,
    /// The copy of a repeat that it belongs to.
    copy: Option<CopyOf>,
}

/// A question on a screen, or a note that stands beside one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Asks(QuestionId),
    Says(QuestionId),
}

impl Halt {
    fn of(step: Step, copy: Option<CopyOf>) -> Self {
        let parts = match step {
            Step::Question(id) => vec![Part::Asks(id)],
            Step::Page(_) | Step::Cards(_) | Step::Review { .. } | Step::Lane | Step::Consent => Vec::new(),
        };
        Self { step, parts, copy }
    }

    fn asks(&self) -> Vec<QuestionId> {
        self.parts
            .iter()
            .filter_map(|part| match part {
                Part::Asks(id) => Some(*id),
                Part::Says(_) => None,
            })
            .collect()
    }
}

impl FormRun {
    /// The first screen; nothing where the form has none.
    pub(super) fn start(&mut self) -> Option<()> {
        let first = self.halts().into_iter().next()?;
        self.enter(&first);
        Some(())
    }

    /// Every screen of the way as the answers stand.
    fn halts(&self) -> Vec<Halt> {
        let mut halts: Vec<Halt> = Vec::new();
        for stop in self.engine.course() {
            match stop {
                Stop::Question {
                    id,
                    kind,
                    page: Some(path),
                    copy,
                } => {
                    let step = Step::Page(path);
                    if halts.last().is_none_or(|last| last.step != step) {
                        halts.push(Halt::of(step, copy));
                    }
                    let last = halts.last_mut().expect("one was pushed where there was none");
                    last.parts.push(if kind == Kind::Note {
                        Part::Says(id)
                    } else {
                        Part::Asks(id)
                    });
                }
                Stop::Question {
                    id, page: None, copy, ..
                } => halts.push(Halt::of(Step::Question(id), copy)),
                Stop::Repeat { repeat, copy } => halts.push(Halt::of(Step::Cards(repeat.path), copy)),
            }
        }
        // A page with a single question is that question, with what the page says over it.
        for halt in &mut halts {
            if let (Step::Page(_), [only]) = (&halt.step, halt.asks().as_slice()) {
                halt.step = Step::Question(*only);
            }
        }
        halts
    }

    /// Where on the way the present screen is.
    fn at(&self, halts: &[Halt]) -> Option<usize> {
        halts.iter().position(|halt| halt.step == self.step).or_else(|| {
            // A question opened from its page.
            let Step::Question(id) = self.step else {
                return None;
            };
            halts.iter().position(|halt| halt.parts.contains(&Part::Asks(id)))
        })
    }

    fn enter(&mut self, halt: &Halt) {
        match &halt.step {
            Step::Question(id) => {
                self.ask(*id);
                self.over = halt
                    .parts
                    .iter()
                    .filter_map(|part| match part {
                        Part::Says(note) => Some(self.engine.question(*note).label),
                        Part::Asks(_) => None,
                    })
                    .collect();
            }
            step => {
                self.step = step.clone();
                self.asked = None;
                self.removing = None;
            }
        }
    }

    /// The screen that asks a question.
    pub(super) fn go_to(&mut self, id: QuestionId) {
        let halts = self.halts();
        match halts.iter().find(|halt| halt.parts.contains(&Part::Asks(id))) {
            Some(halt) => self.enter(halt),
            None => self.ask(id),
        }
    }

    /// Shows one question.
    pub(super) fn ask(&mut self, id: QuestionId) {
        let question = self.engine.question(id);
        self.typing = Way::of(&question).typing(&question.value);
        self.list = List::default();
        self.choice_page = None;
        self.over.clear();
        self.way_back = None;
        self.removing = None;
        self.asked = Some(question);
        self.step = Step::Question(id);
    }

    /// Reads the question that is asked once more, after an answer or another language.
    pub(super) fn refresh(&mut self) {
        if let Step::Question(id) = self.step {
            self.asked = Some(self.engine.question(id));
        }
    }

    /// The question that is asked.
    pub(super) fn asked(&self, id: QuestionId) -> Question {
        match &self.asked {
            Some(question) if question.id == id => question.clone(),
            Some(_) | None => self.engine.question(id),
        }
    }

    /// Where the citizen is among the questions, and how many there are now.
    pub(super) fn position(&self) -> (usize, usize) {
        let halts = self.halts();
        let all = |halts: &[Halt]| -> usize { halts.iter().map(|halt| halt.parts.len()).sum() };
        let before = match (&self.step, self.at(&halts)) {
            (Step::Question(id), Some(at)) => {
                let inside = halts[at].parts.iter().position(|part| *part == Part::Asks(*id));
                all(&halts[..at]) + inside.unwrap_or(0)
            }
            // Cards come after the last question of what they show.
            (Step::Cards(_), Some(at)) => all(&halts[..at]).saturating_sub(1),
            (_, Some(at)) => all(&halts[..at]),
            (_, None) => 0,
        };
        (before, all(&halts))
    }

    /// What is wrong with an answer, if anything; what comes to the counter is not missed here.
    pub(super) fn fault(&self, id: QuestionId) -> Option<Violation> {
        match self.engine.check(id) {
            Err(Violation::Required { .. }) if self.at_counter.contains(&id) => None,
            checked => checked.err(),
        }
    }

    /// The first question that stands in the way of sending.
    fn first_fault(&self) -> Option<QuestionId> {
        self.engine
            .questions()
            .into_iter()
            .find(|id| self.fault(*id).is_some())
    }

    /// Asks a question, and says what is wrong with the answer it has.
    fn ask_again(&mut self, id: QuestionId, language: Language) {
        self.ask(id);
        let question = self.asked(id);
        if let Some(violation) = self.fault(id).filter(|_| !question.value.is_empty()) {
            self.typing.wrong = Some(violation_words(&violation, Way::of(&question), language));
        }
    }

    /// The review, unless an answer is still missing: a change may have opened new questions.
    pub(super) fn review(&mut self, language: Language) {
        self.from_review = true;
        match self.first_fault() {
            Some(id) => self.ask_again(id, language),
            None => {
                self.step = Step::Review { page: 0 };
                self.asked = None;
            }
        }
    }

    /// From the review to the last screen before it.
    pub(super) fn back_from_review(&mut self) {
        if let Some(last) = self.halts().last() {
            self.enter(last);
        }
    }

    /// Goes on from a question, or says what is wrong with its answer.
    pub(super) fn go_on(&mut self, id: QuestionId, language: Language) {
        let question = self.asked(id);
        let way = Way::of(&question);
        if let Err(wrong) = self.store(&question, way, language) {
            self.typing.wrong = Some(wrong);
            return;
        }
        if let Some(violation) = self.fault(id) {
            self.typing.wrong = Some(violation_words(&violation, way, language));
            return;
        }
        if let Some(page @ Step::Page(_)) = self.way_back.take() {
            self.step = page;
            self.asked = None;
            return;
        }
        if self.from_review {
            self.review(language);
        } else {
            self.forward(language);
        }
    }

    /// The next screen; out of a copy of a repeat to its cards.
    pub(super) fn forward(&mut self, language: Language) {
        let halts = self.halts();
        let Some(at) = self.at(&halts) else {
            return self.review(language);
        };
        match halts.get(at + 1) {
            Some(next) => match other_copy(&halts[at], next) {
                Some(cards) => self.enter_cards(cards),
                None => self.enter(next),
            },
            None => self.review(language),
        }
    }

    /// The screen before; true where there is none.
    pub(super) fn back(&mut self, language: Language) -> bool {
        if let Some(step) = self.way_back.take() {
            self.step = step;
            self.asked = None;
            return false;
        }
        if self.from_review {
            self.review(language);
            return false;
        }
        let halts = self.halts();
        let at = self.at(&halts).unwrap_or(0);
        match at.checked_sub(1).and_then(|before| halts.get(before)) {
            Some(before) => {
                match other_copy(&halts[at], before) {
                    Some(cards) => self.enter_cards(cards),
                    None => self.enter(before),
                }
                false
            }
            None => true,
        }
    }

    fn enter_cards(&mut self, path: String) {
        self.step = Step::Cards(path);
        self.asked = None;
        self.removing = None;
    }

    /// A touch on a question; true where it leads out of the form.
    pub(super) fn step_question(&mut self, id: QuestionId, input: Input, language: Language) -> bool {
        match input {
            Input::Typed(letters) if self.list.is_open() => self.list.typed(&letters),
            Input::Key(Key::Enter) | Input::Continue | Input::Back if self.list.is_open() => {
                self.list.close();
                self.choice_page = None;
            }
            Input::Key(key) if self.list.is_open() => self.list.key(key),
            Input::OpenSearch => {
                let question = self.asked(id);
                self.list.open(&question.choices);
            }
            Input::Typed(letters) => self.typing.typed(&letters),
            Input::Key(Key::Enter) | Input::Continue => self.go_on(id, language),
            Input::Key(key) => self.typing.key(key),
            Input::Choose(at) => self.choose(id, at, language),
            Input::Up(at) => self.rank(id, at, at.wrapping_sub(1)),
            Input::Down(at) => self.rank(id, at, at + 1),
            Input::Scale(at) => self.scale(id, at),
            Input::Stroke(points) => self.stroke(id, &points),
            Input::Erase => self.erase(id),
            Input::AtCounter => self.bring(id),
            Input::NoAnswer => {
                self.typing.key(Key::Clear);
                self.erase(id);
                self.at_counter.remove(&id);
                let _ = self.engine.set(id, "");
                self.refresh();
                self.leave_empty(id, language);
            }
            Input::Why => self.notice = Some(Notice::Why),
            Input::ToPage(page) => self.choice_page = Some(page),
            Input::Back => return self.back(language),
            // A touch meant for a screen that is gone.
            _ => {}
        }
        false
    }

    /// A touch on a page of several questions; true where it leads out of the form.
    pub(super) fn step_page(&mut self, path: &str, input: Input, language: Language) -> bool {
        match input {
            Input::Ask(index) => {
                let id = QuestionId::from_index(index);
                if self.on_page(path).contains(&Part::Asks(id)) {
                    self.ask(id);
                    self.way_back = Some(Step::Page(path.to_owned()));
                }
            }
            Input::Pick(index, at) => {
                let id = QuestionId::from_index(index);
                if self.on_page(path).contains(&Part::Asks(id)) {
                    self.choose(id, at, language);
                }
            }
            Input::Continue | Input::Key(Key::Enter) => {
                let wrong = self.on_page(path).into_iter().find_map(|part| match part {
                    Part::Asks(id) => Some((id, self.fault(id)?)),
                    Part::Says(_) => None,
                });
                match wrong {
                    Some((id, violation)) => {
                        self.ask(id);
                        self.way_back = Some(Step::Page(path.to_owned()));
                        let way = Way::of(&self.asked(id));
                        self.typing.wrong = Some(violation_words(&violation, way, language));
                    }
                    None if self.from_review => self.review(language),
                    None => self.forward(language),
                }
            }
            Input::Back => return self.back(language),
            _ => {}
        }
        false
    }

    /// What stands on a page of several questions, in order.
    pub(super) fn on_page(&self, path: &str) -> Vec<Part> {
        let wanted = Step::Page(path.to_owned());
        self.halts()
            .into_iter()
            .find(|halt| halt.step == wanted)
            .map(|halt| halt.parts)
            .unwrap_or_default()
    }

    /// A touch on the cards of a repeat; true where it leads out of the form.
    pub(super) fn step_cards(&mut self, path: &str, input: Input, language: Language) -> bool {
        match input {
            Input::AddCopy if self.engine.add_repeat(path).is_ok() => {
                let number = self.copies(path);
                self.open_copy(path, number);
            }
            Input::OpenCopy(number) => self.open_copy(path, number),
            Input::RemoveCopy(number) => self.removing = Some(number).filter(|number| *number > 0),
            Input::RemoveNow => {
                if let Some(number) = self.removing.take() {
                    let _ = self.engine.remove_repeat(&format!("{path}[{number}]"));
                    // What was drawn there goes with it.
                    let left: std::collections::BTreeSet<QuestionId> =
                        self.engine.questions().into_iter().collect();
                    self.drawn.retain(|id, _| left.contains(id));
                    self.at_counter.retain(|id| left.contains(id));
                }
            }
            Input::Continue | Input::Key(Key::Enter) => {
                self.removing = None;
                let halts = self.halts();
                let inside = |halt: &&Halt| halt.copy.as_ref().is_some_and(|copy| copy.repeat == path);
                let wrong = halts
                    .iter()
                    .filter(inside)
                    .flat_map(Halt::asks)
                    .find(|id| self.fault(*id).is_some());
                match wrong {
                    Some(id) => {
                        self.ask_again(id, language);
                        self.way_back = Some(Step::Cards(path.to_owned()));
                    }
                    None => self.forward(language),
                }
            }
            // A question whether one goes is answered with no.
            Input::Back if self.removing.take().is_none() => return self.back_over(path),
            _ => {}
        }
        false
    }

    /// From the cards to what stands before the whole repeat; true where nothing does.
    fn back_over(&mut self, path: &str) -> bool {
        let halts = self.halts();
        let first = halts
            .iter()
            .position(|halt| {
                halt.step == Step::Cards(path.to_owned())
                    || halt.copy.as_ref().is_some_and(|copy| copy.repeat == path)
            })
            .unwrap_or(0);
        match first.checked_sub(1).and_then(|before| halts.get(before)) {
            Some(before) => {
                self.enter(before);
                false
            }
            None => true,
        }
    }

    fn open_copy(&mut self, path: &str, number: usize) {
        let wanted = CopyOf {
            repeat: path.to_owned(),
            number,
        };
        let halts = self.halts();
        if let Some(first) = halts.iter().find(|halt| halt.copy.as_ref() == Some(&wanted)) {
            self.enter(first);
            self.way_back =
                Some(Step::Cards(path.to_owned())).filter(|_| matches!(self.step, Step::Question(_)));
        }
    }

    /// How many copies a repeat has.
    pub(super) fn copies(&self, path: &str) -> usize {
        self.engine
            .repeats()
            .into_iter()
            .find(|repeat| repeat.path == path)
            .map_or(0, |repeat| repeat.copies)
    }

    fn leave_empty(&mut self, id: QuestionId, language: Language) {
        if let Some(violation) = self.fault(id) {
            let way = Way::of(&self.asked(id));
            self.typing.wrong = Some(violation_words(&violation, way, language));
            return;
        }
        if let Some(page @ Step::Page(_)) = self.way_back.take() {
            self.step = page;
            self.asked = None;
        } else if self.from_review {
            self.review(language);
        } else {
            self.forward(language);
        }
    }
}

/// The repeat, where two screens belong to different copies of it.
fn other_copy(here: &Halt, there: &Halt) -> Option<String> {
    let (here, there) = (here.copy.as_ref()?, there.copy.as_ref()?);
    (here.repeat == there.repeat && here.number != there.number).then(|| here.repeat.clone())
}

/// What a missing answer is called where the form has no words of its own.
pub(super) fn missing_words(way: Way, language: Language) -> String {
    let key = match way {
        Way::Order => "wrong-required-order",
        Way::Scale => "wrong-required-scale",
        Way::Confirm => "wrong-required-confirm",
        Way::Sign => "wrong-required-sign",
        Way::One | Way::Several | Way::Bring => "wrong-required",
        Way::Read
        | Way::Letters
        | Way::Code
        | Way::Email
        | Way::Digits { .. }
        | Way::Date
        | Way::Time
        | Way::Moment
        | Way::Money
        | Way::Number => "wrong-required-text",
    };
    i18n::say(language, key)
}
