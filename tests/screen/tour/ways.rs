//! The form that asks in every way, with each way in its states.

use ventanilla::domain::session::Input;
use ventanilla::domain::session::Key;
use ventanilla::domain::session::view::{Action, Block, Face, View};

use super::Tour;

/// Names of a kind of block on the screen.
fn has(view: &View, wanted: impl Fn(&Block) -> bool) -> bool {
    view.blocks.iter().any(wanted)
}

impl Tour {
    fn act(&mut self, action: Option<Action>) {
        let (_, inputs) = self.session.show(self.now);
        if let Some(action) = action {
            self.step(inputs[usize::from(action.0)].clone());
        }
    }

    /// From the first question to the review, with a picture of each state.
    pub(super) fn walk_all_ways(&mut self) {
        for at in 1..60 {
            let view = self.view();
            if view.face != Face::Question {
                return;
            }
            let name = format!("ways-q{at}");
            self.shoot(&name);
            self.past_reading(Some(&name));
            self.reach_answers();
            let view = self.view();
            let title = view.title.text.clone();
            if !self.answer(&view, &name) {
                self.step(Input::Continue);
            }
            let now = self.view();
            assert!(
                now.title.text != title || now.face != Face::Question,
                "stuck at «{title}»"
            );
        }
    }

    /// On to the sheet with something to answer.
    fn reach_answers(&mut self) {
        self.step(Input::Sheet(-20));
        for _ in 0..8 {
            let view = self.view();
            let answers = has(&view, |block| {
                matches!(
                    block,
                    Block::Choices { .. }
                        | Block::SearchBox(_)
                        | Block::Cards(_)
                        | Block::Ranking(_)
                        | Block::Scale(_)
                        | Block::Sketch { .. }
                        | Block::Review { .. }
                )
            });
            let more = has(
                &view,
                |block| matches!(block, Block::Pager { after, .. } if after.action.is_some()),
            );
            if answers || view.keyboard.is_some() || !more {
                return;
            }
            self.step(Input::Sheet(1));
        }
    }

    /// Answers a screen in each of its states; true where that led on already.
    fn answer(&mut self, view: &View, name: &str) -> bool {
        if has(view, |block| matches!(block, Block::SearchBox(_))) {
            self.step(Input::OpenSearch);
            self.shoot(&format!("{name}-search"));
            self.step(Input::Typed("san".into()));
            self.shoot(&format!("{name}-searched"));
            self.step(Input::Typed("xqwx".into()));
            self.shoot(&format!("{name}-nothing"));
            self.step(Input::Key(Key::Clear));
            self.step(Input::Typed("quitumve".into()));
            self.step(Input::Continue);
            self.shoot(&format!("{name}-found"));
            self.choose();
        } else if has(view, |block| matches!(block, Block::Cards(_))) {
            self.copies(name);
        } else if has(view, |block| matches!(block, Block::Ranking(_))) {
            self.step(Input::Down(0));
        } else if has(view, |block| matches!(block, Block::Scale(_))) {
            self.step(Input::Continue);
            self.step(Input::Scale(4));
            self.shoot(&format!("{name}-set"));
        } else if has(view, |block| matches!(block, Block::Sketch { .. })) {
            self.step(Input::Continue);
            self.shoot(&format!("{name}-missing"));
            self.step(Input::Stroke(signature()));
            self.shoot(&format!("{name}-signed"));
            self.step(Input::AtCounter);
            self.shoot(&format!("{name}-counter"));
        } else if has(view, |block| matches!(block, Block::Review { .. })) {
            self.several(name);
        } else if view.keyboard.is_some() {
            return self.write(&["051120260930", "0930", "120,5", "Casa de Chillogallo"]);
        } else {
            self.choose();
        }
        false
    }

    /// Touches the first choice that is on the screen.
    fn choose(&mut self) {
        self.reach_answers();
        let first = self.view().blocks.iter().find_map(|block| match block {
            Block::Choices { items, .. } => items
                .iter()
                .all(|item| !item.chosen)
                .then(|| items.first().and_then(|item| item.action)),
            _ => None,
        });
        self.act(first.flatten());
    }

    /// Types one thing after the other until the question takes it.
    fn write(&mut self, answers: &[&str]) -> bool {
        let before = self.view();
        for answer in answers {
            self.step(Input::Key(Key::Clear));
            self.step(Input::Typed((*answer).into()));
            self.step(Input::Continue);
            if self.view().title != before.title {
                return true;
            }
        }
        false
    }

    /// Answers a page of several questions: what is chosen in place, then what is opened.
    fn several(&mut self, name: &str) {
        self.step(Input::Continue);
        self.shoot(&format!("{name}-missing"));
        self.choose();
        self.step(Input::Continue);
        for _ in 0..2 {
            for _ in 0..6 {
                if has(&self.view(), |block| matches!(block, Block::Review { .. })) {
                    break;
                }
                self.step(Input::Sheet(1));
            }
            let row = self.view().blocks.iter().find_map(|block| match block {
                Block::Review { rows, .. } => rows.first().and_then(|row| row.change),
                _ => None,
            });
            self.act(row);
            self.past_reading(None);
            self.step(Input::Key(Key::Clear));
            self.step(Input::Typed("4".into()));
            self.step(Input::Continue);
        }
        self.shoot(&format!("{name}-answered"));
    }

    fn copies(&mut self, name: &str) {
        self.step(Input::AddCopy);
        self.step(Input::Typed("Terreno de Lloa".into()));
        self.step(Input::Continue);
        self.step(Input::Typed("512034".into()));
        self.step(Input::Continue);
        self.shoot(&format!("{name}-two"));
        self.step(Input::RemoveCopy(1));
        self.shoot(&format!("{name}-remove"));
        self.step(Input::RemoveCopy(0));
    }
}

/// Something like a name.
fn signature() -> Vec<(u16, u16)> {
    (0..120_u16)
        .map(|at| {
            let along = f64::from(at) / 120.0;
            let high = 210.0 + (along * 38.0).sin() * (110.0 - 60.0 * along);
            (120 + at * 6, high.round() as u16)
        })
        .collect()
}
