//! Sheets: what a screen says, cut into as many pages as the letters need, so that nothing is ever cut off.
//!
//! The heights here are estimates from numbers of letters; the face measures and shrinks the last few percent.
//! Nothing is left out and nothing changes its order. A screen that must be read to its end before it is answered
//! leads on with «Continuar» until its last sheet.

use super::browse::pager_of;
use super::draw::Draw;
use super::view::{Block, Button, Card, Face, Fact, Item, Ranked, TextSize, Tone, View};
use super::{AT_FAULT, Input, Session};

/// Part of a letter's size that it is wide, on average over Spanish text, with what wrapping leaves empty.
const LETTER: f32 = 0.5;

/// Sizes of one text size, in px of the design.
struct Scale {
    caption: f32,
    body: f32,
    lead: f32,
    button: f32,
    h2: f32,
    h1: f32,
    icon: f32,
}

impl Scale {
    fn of(size: TextSize) -> Self {
        let pick = |normal: f32, large: f32, huge: f32| match size {
            TextSize::Normal => normal,
            TextSize::Large => large,
            TextSize::Huge => huge,
        };
        Self {
            caption: pick(30.0, 45.0, 60.0),
            body: pick(36.0, 54.0, 72.0),
            lead: pick(42.0, 60.0, 80.0),
            button: pick(40.0, 58.0, 76.0),
            h2: pick(46.0, 64.0, 84.0),
            h1: pick(66.0, 84.0, 104.0),
            icon: pick(52.0, 60.0, 74.0),
        }
    }
}

/// Where blocks may stand.
struct Room<'a> {
    scale: Scale,
    size: TextSize,
    landscape: bool,
    wide: f32,
    tall: f32,
    /// Room for what is only read, where that stands apart.
    reading: f32,
    view: &'a View,
}

fn text(words: &str, size: f32, wide: f32) -> f32 {
    let letters = words.chars().count() as f32;
    let lines = (letters * size * LETTER / wide.max(size)).ceil().max(1.0);
    lines * size * 1.3
}

/// The height of a title: its words are few and large, so that each is counted where it falls.
fn title(words: &str, size: f32, wide: f32) -> f32 {
    let (mut lines, mut used) = (1.0, 0.0);
    for word in words.split_whitespace() {
        let long = (word.chars().count() + 1) as f32 * size * LETTER;
        if used > 0.0 && used + long > wide + size * LETTER {
            lines += 1.0;
            used = 0.0;
        }
        // A word that is longer than a line is broken.
        lines += (long / (wide + size * LETTER)).ceil() - 1.0;
        used += long;
    }
    lines * size * 1.3
}

impl<'a> Room<'a> {
    fn new(view: &'a View, landscape: bool) -> Self {
        let scale = Scale::of(view.size);
        let enlarged = view.size != TextSize::Normal;
        let (wide, mut tall): (f32, f32) = if landscape {
            (1152.0, 840.0 - 68.0)
        } else {
            (960.0, 1800.0 - if enlarged { 288.0 } else { 176.0 })
        };
        if !view.offline.is_empty()
            && (view.size == TextSize::Huge || (!landscape && (enlarged || view.cover.is_some())))
        {
            tall -= if enlarged { 92.0 } else { 60.0 };
        }
        // Title, help and progress stand over the blocks, within reach over the line, in landscape on the left.
        let asked = if landscape { 584.0 } else { wide };
        let beside = if view.listen.is_some() && !landscape && !view.reach {
            200.0
        } else {
            0.0
        };
        let mut head = 38.0 + 40.0 + 32.0;
        head += title(&view.title.text, scale.h1, asked - beside);
        if !view.title.beside.is_empty() {
            head += text(&view.title.beside, scale.caption, asked - beside);
        }
        if !view.help.is_empty() {
            head += 18.0
                + text(
                    &view.help,
                    scale.lead,
                    if enlarged { asked } else { asked - beside },
                );
        }
        if !view.over_title.is_empty() {
            head += 20.0 + 2.0 * scale.caption * 1.3;
        }
        if view.progress.is_some() {
            head += if enlarged || landscape {
                40.0 + 3.0 * scale.caption * 1.25
            } else {
                110.0
            };
        }
        let spoken = if view.listen.is_some() { 170.0 } else { 0.0 };
        let covered = if view.cover.is_some() { 130.0 } else { 0.0 };
        let reading = match (landscape, view.reach) {
            (false, false) => {
                tall -= head;
                0.0
            }
            (false, true) => {
                tall -= 676.0 + f32::max(spoken, covered);
                648.0 - 16.0 - head
            }
            (true, reach) => {
                tall -= if reach { 304.0 } else { 0.0 };
                808.0 - head - spoken - if reach { covered } else { 0.0 }
            }
        };
        let buttons = usize::from(view.primary.is_some()) + usize::from(view.secondary.is_some());
        if buttons > 0 {
            tall -= if view.size == TextSize::Huge && !landscape && buttons > 1 {
                24.0 + 144.0 + 16.0 + 128.0
            } else {
                24.0 + 150.0
            };
        }
        Self {
            scale,
            size: view.size,
            landscape,
            wide,
            tall,
            reading,
            view,
        }
    }

    /// What stands in the left column of a wide screen takes no room in the right one.
    fn is_aside(&self, block: &Block) -> bool {
        let crowded = matches!(
            self.view.face,
            Face::Review | Face::Success | Face::Turn | Face::Procedure | Face::Accessibility
        );
        // In larger letters only what has room there.
        let fits = || !self.enlarged() || self.aside_height(block) <= self.reading;
        self.landscape
            && ((crowded && matches!(block, Block::Note { .. } | Block::Text(_)) && fits())
                || matches!(block, Block::Buttons(_)))
    }

    /// How many of the first blocks stand over the line within reach: what is only read, as far as there is room.
    fn above(&self, blocks: &[Block]) -> usize {
        if !self.view.reach {
            return 0;
        }
        let mut left = self.reading;
        blocks
            .iter()
            .take_while(|block| {
                // The panel of a number is wider than a left column.
                let wide = self.landscape && matches!(block, Block::Number { .. } | Block::Code { .. });
                left -= self.aside_height(block);
                // Over a keyboard there is only what is read.
                let typing = self.view.keyboard.is_some();
                // What is wrong stands with the question, whatever else there is.
                let wrong = matches!(block, Block::Note { tone: Tone::Bad, .. });
                !is_control(block) && !wide && (left >= 0.0 || typing || wrong)
            })
            .count()
    }

    fn aside_height(&self, block: &Block) -> f32 {
        if !self.landscape {
            return self.height(block);
        }
        let narrow = Room {
            wide: 584.0,
            landscape: false,
            scale: Scale::of(self.size),
            ..*self
        };
        narrow.height(block)
    }

    /// Heights of what is in the way of controls, and of what stands apart from them.
    fn heights(&self, blocks: &[Block]) -> (f32, f32) {
        let above = self.above(blocks);
        let mut sums = (0.0, 0.0);
        for (at, block) in blocks.iter().enumerate() {
            if at < above
                || matches!(block, Block::Buttons(_)) && self.is_aside(block)
                || (!self.view.reach && self.is_aside(block))
            {
                sums.1 += self.aside_height(block);
            } else {
                sums.0 += self.height(block);
            }
        }
        sums
    }

    fn enlarged(&self) -> bool {
        self.size != TextSize::Normal
    }

    /// A place of an order: its words, and two buttons beside them or under them.
    fn ranked_height(&self, one: &Ranked) -> f32 {
        let s = &self.scale;
        if self.enlarged() {
            40.0 + text(&one.words, s.lead, self.wide - 200.0) + 8.0 + 112.0
        } else {
            (36.0 + text(&one.words, s.lead, self.wide - 620.0)).max(128.0)
        }
    }

    fn card_height(&self, card: &Card) -> f32 {
        let s = &self.scale;
        // Wide screens have the buttons beside the words.
        let wide = self.wide - if self.landscape { 740.0 } else { 80.0 };
        let line = |fact: &Fact| 6.0 + text(&fact.label, s.caption, wide) + text(&fact.value, s.body, wide);
        let words = text(&card.title, s.h2, wide) + card.lines.iter().map(line).sum::<f32>();
        if self.landscape {
            48.0 + words.max(112.0)
        } else {
            56.0 + words + 130.0
        }
    }

    fn height(&self, block: &Block) -> f32 {
        let s = &self.scale;
        let gap = 32.0;
        gap + match block {
            Block::Heading(words) => text(words, s.h2, self.wide) - gap / 2.0,
            Block::Display(words) | Block::Text(words) => text(words, s.body, self.wide),
            Block::Note {
                title, text: said, ..
            } => {
                let wide = self.wide - 100.0 - s.icon;
                let title = if title.is_empty() {
                    0.0
                } else {
                    text(title, s.lead, wide)
                };
                let said = if said.is_empty() {
                    0.0
                } else {
                    text(said, s.body, wide)
                };
                48.0 + title + said
            }
            Block::Facts(facts) if self.enlarged() => facts
                .iter()
                .map(|fact| {
                    30.0 + text(&fact.label, s.caption, self.wide * 0.45).max(text(
                        &fact.value,
                        s.body,
                        self.wide * 0.45,
                    ))
                })
                .sum(),
            Block::Facts(facts) => {
                let wide = self.wide / facts.len().max(1) as f32 - 46.0;
                let value = |fact: &Fact| text(&fact.value, 44.0, wide);
                110.0 + facts.iter().map(value).fold(0.0, f32::max)
            }
            Block::Checklist(items) => items
                .iter()
                .map(|item| {
                    let wide = self.wide - s.icon - 24.0;
                    let note = if item.note.is_empty() {
                        0.0
                    } else {
                        text(&item.note, s.caption, wide)
                    };
                    38.0 + text(&item.words.text, s.body, wide) + note
                })
                .sum(),
            Block::Panel {
                title,
                lines,
                columns,
                button,
            } => {
                let wide = self.wide - 72.0 - s.icon - 24.0;
                let two = *columns && (!self.enlarged() || self.landscape);
                let line = |item: &Item| {
                    let said = format!("{} {}", item.words.text, item.note);
                    22.0 + text(&said, s.body, if two { wide / 2.0 - s.icon } else { wide })
                };
                let lines: f32 = lines.iter().map(line).sum::<f32>() / if two { 2.0 } else { 1.0 };
                let title = if title.is_empty() {
                    0.0
                } else {
                    22.0 + text(title, s.body, wide)
                };
                let button = if button.is_some() { 130.0 } else { 0.0 };
                60.0 + title + lines + button
            }
            Block::Choices { items, .. } => items
                .iter()
                .map(|item| {
                    let wide = self.wide - 90.0 - s.icon;
                    let note = if item.note.is_empty() {
                        0.0
                    } else {
                        text(&item.note, s.caption, wide)
                    };
                    let beside = if item.words.beside.is_empty() {
                        0.0
                    } else {
                        s.caption * 1.3
                    };
                    24.0 + (36.0 + text(&item.words.text, s.lead, wide) + note + beside).max(132.0)
                })
                .sum(),
            Block::BigChoices(items) => 244.0 * items.len() as f32,
            Block::Ranking(ranked) => ranked.iter().map(|one| 18.0 + self.ranked_height(one)).sum(),
            // The value between its buttons, and the stops under it.
            Block::Scale(_) => 190.0 + 24.0 + 128.0,
            Block::Sketch { .. } => pad_width(self.view, self.landscape) * 0.42,
            Block::Cards(cards) => cards.iter().map(|card| 24.0 + self.card_height(card)).sum(),
            Block::Review { rows, .. } => rows
                .iter()
                .map(|row| {
                    let wide = self.wide - if self.enlarged() { 380.0 } else { 250.0 };
                    (14.0 + text(&row.label, s.caption, wide) + text(&row.value, s.lead, wide)).max(112.0)
                })
                .sum(),
            Block::Rows(items) => items
                .iter()
                .map(|item| {
                    let wide = self.wide - 120.0;
                    let under = self.enlarged() && !item.note.is_empty();
                    let note = if under { s.caption * 1.3 } else { 0.0 };
                    18.0 + (24.0 + text(&item.words.text, s.button, wide) + note).max(108.0)
                })
                .sum(),
            Block::Setting { .. } if self.enlarged() => s.body * 1.3 + 150.0,
            Block::Setting { .. } => 112.0,
            Block::Buttons(buttons) => 128.0 * buttons.len() as f32,
            Block::Pager { .. } => 128.0,
            Block::Number { facts, .. } => {
                let facts = if self.enlarged() {
                    facts.len() as f32 * s.body * 1.6
                } else {
                    110.0
                };
                340.0 + s.body * 1.3 + facts
            }
            Block::Code { text: said, qr, .. } => {
                let beside = if qr.is_empty() { 0.0 } else { 360.0 };
                (s.caption * 1.3 + 110.0 + text(said, s.caption, self.wide - beside - 80.0)).max(beside)
                    + 60.0
            }
            Block::Field { .. } => 160.0 + s.caption * 1.3,
            Block::Date(_) => 480.0,
            Block::Countdown { .. } => 420.0,
            Block::Drawing | Block::Promises(_) | Block::Languages(_) | Block::Tiles(_) => 200.0,
            Block::SearchBox(_) => {
                if self.size == TextSize::Huge {
                    152.0
                } else {
                    124.0
                }
            }
        }
    }
}

/// How wide a pad to draw on is, in px of the design: as wide as its column where there is room.
pub fn pad_width(view: &View, landscape: bool) -> f32 {
    match (landscape, view.reach, view.size) {
        (false, true, TextSize::Huge) => 700.0,
        (false, _, _) => 960.0,
        (true, true, _) => 560.0,
        (true, false, _) => 760.0,
    }
}

/// Whether something in the block can be touched.
fn is_control(block: &Block) -> bool {
    match block {
        Block::Languages(_)
        | Block::SearchBox(_)
        | Block::Tiles(_)
        | Block::Rows(_)
        | Block::Choices { .. }
        | Block::BigChoices(_)
        | Block::Date(_)
        | Block::Ranking(_)
        | Block::Scale(_)
        | Block::Sketch { .. }
        | Block::Cards(_)
        | Block::Review { .. }
        | Block::Setting { .. }
        | Block::Pager { .. }
        | Block::Buttons(_) => true,
        Block::Panel { button, .. } => button.is_some(),
        Block::Drawing
        | Block::Display(_)
        | Block::Heading(_)
        | Block::Text(_)
        | Block::Promises(_)
        | Block::Facts(_)
        | Block::Checklist(_)
        | Block::Note { .. }
        | Block::Field { .. }
        | Block::Number { .. }
        | Block::Code { .. }
        | Block::Countdown { .. } => false,
    }
}

/// The smallest parts of a block that can stand on a sheet of their own.
fn parts(block: Block) -> Vec<Block> {
    match block {
        Block::Checklist(items) => items
            .into_iter()
            .map(|item| Block::Checklist(vec![item]))
            .collect(),
        Block::Rows(items) => items.into_iter().map(|item| Block::Rows(vec![item])).collect(),
        Block::BigChoices(items) => items
            .into_iter()
            .map(|item| Block::BigChoices(vec![item]))
            .collect(),
        Block::Facts(facts) => facts.into_iter().map(|fact| Block::Facts(vec![fact])).collect(),
        Block::Ranking(ranked) => ranked.into_iter().map(|one| Block::Ranking(vec![one])).collect(),
        Block::Cards(cards) => cards.into_iter().map(|card| Block::Cards(vec![card])).collect(),
        Block::Choices {
            several,
            items,
            chosen_word,
        } => items
            .into_iter()
            .map(|item| Block::Choices {
                several,
                items: vec![item],
                chosen_word: chosen_word.clone(),
            })
            .collect(),
        Block::Review { rows, change_word } => rows
            .into_iter()
            .map(|row| Block::Review {
                rows: vec![row],
                change_word: change_word.clone(),
            })
            .collect(),
        Block::Panel {
            title,
            lines,
            columns,
            button,
        } if lines.len() > 1 => {
            let last = lines.len() - 1;
            let mut button = button;
            lines
                .into_iter()
                .enumerate()
                .map(|(at, line)| Block::Panel {
                    title: if at == 0 { title.clone() } else { String::new() },
                    lines: vec![line],
                    columns,
                    button: if at == last { button.take() } else { None },
                })
                .collect()
        }
        whole => vec![whole],
    }
}

fn is_fault(block: &Block) -> bool {
    matches!(block, Block::Note { tone: Tone::Bad, .. })
}

/// Puts a part behind what stands on the sheet already, inside the same block where it belongs there.
fn add(sheet: &mut Vec<Block>, part: Block) {
    match (sheet.last_mut(), part) {
        (Some(Block::Checklist(on)), Block::Checklist(more))
        | (Some(Block::Rows(on)), Block::Rows(more))
        | (Some(Block::BigChoices(on)), Block::BigChoices(more)) => on.extend(more),
        (Some(Block::Facts(on)), Block::Facts(more)) => on.extend(more),
        (Some(Block::Ranking(on)), Block::Ranking(more)) => on.extend(more),
        (Some(Block::Cards(on)), Block::Cards(more)) => on.extend(more),
        (
            Some(Block::Choices {
                items: on,
                several: a,
                ..
            }),
            Block::Choices {
                items: more,
                several: b,
                ..
            },
        ) if *a == b => {
            on.extend(more);
        }
        (Some(Block::Review { rows: on, .. }), Block::Review { rows: more, .. }) => on.extend(more),
        (
            Some(Block::Panel {
                lines: on,
                button: under,
                ..
            }),
            Block::Panel {
                title,
                lines: more,
                button,
                ..
            },
        ) if title.is_empty() && under.is_none() => {
            on.extend(more);
            *under = button;
        }
        (_, part) => sheet.push(part),
    }
}

/// Cuts blocks into sheets that fit.
fn cut(view: &View, landscape: bool) -> Vec<Vec<Block>> {
    let room = Room::new(view, landscape);
    // Usual letters may shrink by a tenth unseen; whoever asked for larger ones gets them.
    let give = if room.enlarged() { 1.0 } else { 1.25 };
    let fits = |(touched, read): (f32, f32), tall: f32| {
        // A question that fills its column by itself is no reason to page what stands beside it.
        touched <= tall && (view.reach || !landscape || read <= (room.reading * give).max(0.0))
    };
    if fits(room.heights(&view.blocks), room.tall * give) {
        return vec![view.blocks.clone()];
    }
    let tall = (room.tall - 160.0) * give.min(1.1);
    let mut sheets: Vec<Vec<Block>> = Vec::new();
    let mut sheet: Vec<Block> = Vec::new();
    // A choice of two is seen whole, wherever there is room for it.
    let whole = |block: &Block| {
        matches!(block, Block::BigChoices(items) if items.len() == 2)
            && room.heights(std::slice::from_ref(block)).0 <= tall
    };
    let pieces = view
        .blocks
        .iter()
        .cloned()
        .flat_map(|block| if whole(&block) { vec![block] } else { parts(block) });
    for part in pieces {
        let mut tried = sheet.clone();
        add(&mut tried, part.clone());
        if sheet.is_empty() || fits(room.heights(&tried), tall) {
            sheet = tried;
            continue;
        }
        // A heading belongs to what follows it, and what is wrong to what puts it right.
        let heading = sheet
            .last()
            .is_some_and(|last| matches!(last, Block::Heading(_)) || is_fault(last))
            .then(|| sheet.pop())
            .flatten();
        if !sheet.is_empty() {
            sheets.push(std::mem::take(&mut sheet));
        }
        sheet.extend(heading);
        add(&mut sheet, part);
    }
    sheets.push(sheet);
    sheets
}

/// Cuts a long list into pages that fit beside everything else on the screen: the place of the first item of each.
pub(super) fn pages_of(
    view: &View,
    landscape: bool,
    items: &[Item],
    one: impl Fn(Item) -> Block,
) -> Vec<usize> {
    let room = Room::new(view, landscape);
    let (beside, _) = room.heights(&view.blocks);
    // The gap under the last one is none.
    let left = room.tall - beside + 24.0;
    let heights: Vec<f32> = items
        .iter()
        .map(|item| room.height(&one(item.clone())) - 32.0)
        .collect();
    if heights.iter().sum::<f32>() <= left {
        return vec![0];
    }
    let left = left - 160.0;
    let mut starts = vec![0];
    let mut used = 0.0;
    for (at, height) in heights.into_iter().enumerate() {
        if used > 0.0 && used + height > left {
            starts.push(at);
            used = 0.0;
        }
        used += height;
    }
    starts
}

/// Whether a block that is only read stands beside the others, under the question of a wide screen.
pub fn is_beside(view: &View, landscape: bool, block: &Block) -> bool {
    !matches!(block, Block::Buttons(_)) && Room::new(view, landscape).is_aside(block)
}

/// How many of a view's first blocks stand over the line within reach.
pub fn above(view: &View, landscape: bool) -> usize {
    Room::new(view, landscape).above(&view.blocks)
}

impl Session {
    /// Cuts a screen into sheets and shows the present one; `gate` keeps its way on for the last sheet.
    pub(super) fn sheets(&self, mut view: View, gate: bool, draw: &mut Draw<'_>) -> View {
        if self.is_crowded(&view) {
            // The question alone fills its place: its help is the first thing to read.
            let help = std::mem::take(&mut view.help);
            view.blocks.insert(0, Block::Text(help));
        }
        let sheets = cut(&view, self.setup.landscape);
        let last = sheets.len() - 1;
        let at = if self.sheet == AT_FAULT {
            sheets
                .iter()
                .position(|sheet| sheet.iter().any(is_fault))
                .unwrap_or(last)
        } else {
            self.sheet.min(last)
        };
        self.shown_sheet.set(at);
        if last == 0 {
            return view;
        }
        view.blocks = sheets.into_iter().nth(at).unwrap_or_default();
        view.blocks.push(pager_of(at, last + 1, Input::Sheet, draw));
        if gate && at < last {
            view.primary = Some(Button {
                icon: "arrow-right",
                words: draw.words("form-continue"),
                action: draw.on(Input::Sheet(1)),
            });
            view.secondary = None;
        }
        view
    }

    /// Whether larger letters leave no room for the help beside the question.
    fn is_crowded(&self, view: &View) -> bool {
        let room = Room::new(view, self.setup.landscape);
        room.enlarged() && !view.help.is_empty() && (view.reach || self.setup.landscape) && room.reading < 0.0
    }

    /// A screen with a keyboard on which larger letters leave no room for everything: first what is to be read and
    /// the ways out, then the question with its field and keys.
    pub(super) fn read_then_type(&self, mut view: View, draw: &mut Draw<'_>) -> View {
        let room = Room::new(&view, self.setup.landscape);
        let keys = if view.reach { 552.0 } else { 652.0 };
        let read = |block: &Block| !matches!(block, Block::Field { .. });
        let others: f32 = view
            .blocks
            .iter()
            .filter(|block| read(block))
            .map(|block| room.aside_height(block))
            .sum();
        let fits = if self.setup.landscape {
            others <= room.reading
        } else {
            let field = view
                .blocks
                .iter()
                .filter(|block| !read(block))
                .map(|block| room.height(block));
            // Its way on is a key of the keyboard; letters may give way a little before a question becomes two screens.
            let slack = if view.reach { 60.0 } else { 270.0 };
            others + field.sum::<f32>() <= room.tall + 174.0 + slack - keys
        };
        let has_more =
            !view.help.is_empty() || view.blocks.iter().any(|block| matches!(block, Block::Buttons(_)));
        if !room.enlarged() || fits || !has_more {
            return view;
        }
        // What is wrong is said where it is put right.
        let wrong = view
            .blocks
            .iter()
            .any(|block| matches!(block, Block::Note { tone: Tone::Bad, .. }));
        if self.sheet == 0 && !wrong {
            let help = std::mem::take(&mut view.help);
            view.blocks.retain(|block| matches!(block, Block::Buttons(_)));
            if !help.is_empty() {
                view.blocks.insert(0, Block::Text(help));
            }
            view.keyboard = None;
            view.primary = Some(Button {
                icon: "arrow-right",
                words: draw.words("form-continue"),
                action: draw.on(Input::Sheet(1)),
            });
            return view;
        }
        view.help.clear();
        view.blocks.retain(|block| !matches!(block, Block::Buttons(_)));
        view
    }
}
