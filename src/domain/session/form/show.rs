//! What a form's screens show: the question, the review, the consent, the notice.

use super::super::browse::pager;
use super::super::draw::Draw;
use super::super::question::Way;
use super::super::view::{Block, Face, Fact, Item, TextSize, Tone, View};
use super::super::{Input, Session};
use super::course::missing_words;
use super::{CONSENTS, FormRun, MESSAGES, NEEDED, Notice, Step};
use crate::domain::redacted::mask_id;
use crate::forms::Violation;
use crate::i18n::{self, Language};

impl Session {
    pub(in crate::domain::session) fn show_form(&self, run: &FormRun, draw: &mut Draw<'_>) -> View {
        let progress = run.progress(draw, self.language());
        let mut view = match (run.notice, &run.step) {
            (Some(Notice::Why), Step::Question(id)) => {
                let question = run.asked(*id);
                let mut view = draw.page(Face::Notice, draw.words("form-why"));
                view.blocks = vec![Block::Text(question.guidance)];
                view.primary = Some(draw.button("check", "form-understood", Input::Understood));
                view
            }
            (Some(Notice::Back { changed }), _) => self.show_back(run, changed, draw),
            (Some(Notice::NotKept(why)), _) => self.show_not_kept(why, draw),
            (Some(Notice::Why | Notice::Privacy), _) => self.show_privacy_notice(draw),
            (None, Step::Question(id)) => self.show_question(run, *id, draw),
            (None, Step::Page(path)) => self.show_several(run, path, draw),
            (None, Step::Cards(path)) => self.show_cards(run, path, draw),
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
            (None, Step::Question(_)) => self.fit_question(run, view, draw),
            (None, Step::Page(_) | Step::Cards(_)) => self.sheets(view, false, draw),
            (None, Step::Consent) => self.sheets(view, true, draw),
            (None, Step::Review { .. }) if self.comfort.size == TextSize::Normal && !self.is_low() => view,
            (None, Step::Review { .. }) => self.sheets(view, true, draw),
            (Some(_), _) | (None, Step::Lane) => self.sheets(view, false, draw),
        }
    }

    fn show_review(&self, run: &FormRun, page: usize, draw: &mut Draw<'_>) -> View {
        let mut view = draw.page(Face::Review, draw.words("review-title"));
        let answers = run.rows(self.language());
        // Larger letters page by sheets, together with the result.
        // Labels of two lines take half as much again.
        let long = answers.iter().any(|(_, row)| row.label.chars().count() > 36);
        let fit = match (self.setup.landscape, self.comfort.size, self.is_low()) {
            (_, TextSize::Normal, false) if long => 6,
            (false, TextSize::Normal, false) => 7,
            (true, TextSize::Normal, false) => 8,
            (_, _, true) | (_, TextSize::Large | TextSize::Huge, _) => usize::MAX,
        };
        let pages = answers.len().div_ceil(fit).max(1);
        let page = page.min(pages - 1);
        let rows = answers
            .into_iter()
            .enumerate()
            .skip(page * fit)
            .take(fit)
            .map(|(at, (_, row))| {
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
        let answers = run.rows(self.language()).len().to_string();
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
        if let Some(shut) = run.shut {
            view.blocks.push(Block::Note {
                tone: Tone::Warn,
                icon: "ticket",
                title: draw.say("queue-shut-without"),
                text: self.shut_words(shut, draw),
            });
        }
        view.blocks.push(Block::Panel {
            title: String::new(),
            lines,
            columns: false,
            button,
        });
        let phone = run.phone();
        let mut items: Vec<Item> = CONSENTS
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
        let ticks = |items| Block::Choices {
            several: true,
            items,
            chosen_word: String::new(),
        };
        // What is missing is said right over the first tick that is, on whichever sheet it stands.
        if let Some(first) = run.missing.first() {
            let missing: Vec<String> = run.missing.iter().map(|at| draw.say(CONSENTS[*at])).collect();
            let rest = items.split_off((*first).min(items.len()));
            if !items.is_empty() {
                view.blocks.push(ticks(std::mem::take(&mut items)));
            }
            items = rest;
            view.blocks.push(Block::Note {
                tone: Tone::Bad,
                icon: "warning-circle",
                title: draw.say("consent-missing"),
                text: missing.join(". "),
            });
        }
        view.blocks.push(ticks(items));
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

    pub(in crate::domain::session) fn show_saving(&self, form: bool, draw: &mut Draw<'_>) -> View {
        let title = draw.words(if form { "saving-title" } else { "saving-turn-title" });
        let mut view = draw.page(Face::Saving, title);
        view.help = draw.say("saving-help");
        view
    }
}

pub(super) fn wrong_note(wrong: &str) -> Block {
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

pub(super) fn violation_words(violation: &Violation, way: Way, language: Language) -> String {
    match violation {
        Violation::Required {
            message: Some(message),
        }
        | Violation::Constraint {
            message: Some(message),
        } => message.clone(),
        Violation::Required { message: None } => missing_words(way, language),
        Violation::Constraint { message: None } => i18n::say(language, "wrong-constraint"),
        Violation::Type => i18n::say(language, "wrong-number"),
    }
}

pub(super) fn consent_words(key: &str, phone: Option<&str>, language: Language) -> String {
    i18n::fill(language, key, &[("phone", phone.unwrap_or_default())])
}
