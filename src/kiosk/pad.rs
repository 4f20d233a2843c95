//! The keypad: where its focus stands on what is shown, and where a key brings it.
//!
//! It works on what the screen really shows, element by element, so that nothing that can be touched is out of its
//! way. Order: the heading, which reads the screen; the content from top to bottom; the bar below; the bar above.
//! It never wraps without having said first that the screen ends here.

use super::run::Element;

/// A key of the keypad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pad {
    /// One back in the order.
    Up,
    /// One on in the order.
    Down,
    /// One back within a row.
    Left,
    /// One on within a row.
    Right,
    /// Acts on what has the focus; on the heading it reads the screen.
    Ok,
    /// The same as the button «Atrás».
    Back,
    /// The same as the button «Ayuda de una persona».
    Help,
}

impl Pad {
    /// The key of a name, as the web page and key maps write it.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "up" => Self::Up,
            "down" => Self::Down,
            "left" => Self::Left,
            "right" => Self::Right,
            "ok" => Self::Ok,
            "back" => Self::Back,
            "help" => Self::Help,
            _ => return None,
        })
    }
}

/// What came of a key.
#[derive(Clone, Debug, PartialEq)]
pub enum Moved {
    /// The focus stands here now.
    To(Element),
    /// The screen ends here; the next key in this direction goes round.
    End,
    /// Touch what has the focus, at these pixels.
    Touch(f32, f32),
    /// Read the screen.
    Read,
    /// Nothing to act on: it is not available, for this reason.
    Unavailable(Element),
}

/// Where the bars end and begin, in pixels of the screen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// Lower edge of the bar above.
    pub top: f32,
    /// Upper edge of the bar below.
    pub foot: f32,
    /// Right edge of the left column; 0 where there is one column.
    pub column: f32,
}

/// Where the focus stands; nothing until the first key.
#[derive(Clone, Debug, Default)]
pub struct Keypad {
    at: Option<Spot>,
    ended: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Spot {
    role: &'static str,
    label: String,
    place: usize,
}

/// As many in a row make a keyboard: up and down then go to the row, not along it.
const KEYS_IN_A_ROW: usize = 5;

impl Keypad {
    /// Whether the ring is shown.
    pub fn is_on(&self) -> bool {
        self.at.is_some()
    }

    /// A finger touched the screen: the ring goes.
    pub fn leave(&mut self) {
        *self = Self::default();
    }

    /// A new screen is shown: the focus begins on its heading, or on the field where something is wrong with it.
    pub fn begin(&mut self, elements: &[Element], frame: Frame, wrong: bool) {
        self.ended = false;
        if self.at.is_none() {
            return;
        }
        let stops = stops(elements, frame);
        let field = stops.iter().position(|one| one.role == "input").filter(|_| wrong);
        self.at = spot(&stops, field.unwrap_or(0));
    }

    /// What has the focus, on what is shown now.
    pub fn focused(&self, elements: &[Element], frame: Frame) -> Option<Element> {
        let stops = stops(elements, frame);
        self.place(&stops).and_then(|at| stops.get(at).cloned())
    }

    /// Where the focus stands in the order, found again after a screen changed in place.
    fn place(&self, stops: &[Element]) -> Option<usize> {
        let spot = self.at.as_ref()?;
        let same = |one: &Element| one.role == spot.role && one.label == spot.label;
        if stops.get(spot.place).is_some_and(same) {
            return Some(spot.place);
        }
        let found = stops
            .iter()
            .enumerate()
            .filter(|(_, one)| same(one))
            .min_by_key(|(at, _)| at.abs_diff(spot.place))
            .map(|(at, _)| at);
        Some(found.unwrap_or_else(|| spot.place.min(stops.len().saturating_sub(1))))
    }

    /// A key was pressed.
    pub fn press(&mut self, key: Pad, elements: &[Element], frame: Frame) -> Option<Moved> {
        let stops = stops(elements, frame);
        let Some(at) = self.place(&stops) else {
            // The first key only brings the ring.
            self.at = spot(&stops, 0);
            return stops.first().cloned().map(Moved::To);
        };
        let ended = std::mem::take(&mut self.ended);
        let here = stops.get(at)?;
        let last = stops.len() - 1;
        let rows = rows(&stops);
        let row = |at: usize| rows.iter().position(|row| row.contains(&at)).unwrap_or(0);
        let (mine, column) = (row(at), at - rows[row(at)][0]);
        let to = match key {
            Pad::Ok if here.role == "heading" || here.role == "input" => return Some(Moved::Read),
            Pad::Ok if !here.enabled => return Some(Moved::Unavailable(here.clone())),
            Pad::Ok => {
                let middle = |from: i32, size: i32| from as f32 + size as f32 / 2.0;
                return Some(Moved::Touch(
                    middle(here.x, here.width),
                    middle(here.y, here.height),
                ));
            }
            Pad::Left => (column > 0).then(|| at - 1),
            Pad::Right => (at < *rows[mine].last().unwrap_or(&at)).then_some(at + 1),
            Pad::Up | Pad::Down => {
                let other = if key == Pad::Up {
                    mine.checked_sub(1)
                } else {
                    Some(mine + 1)
                };
                let next = if key == Pad::Up {
                    at.checked_sub(1)
                } else {
                    Some(at + 1).filter(|to| *to <= last)
                };
                match other.and_then(|other| rows.get(other)) {
                    Some(row) if row.len() >= KEYS_IN_A_ROW => nearest(&stops, row, here),
                    // Out of a keyboard one begins with the first of what follows.
                    Some(row) if rows[mine].len() >= KEYS_IN_A_ROW => row.first().copied(),
                    // Out of a keyboard's last row, and everywhere else along the order.
                    _ if rows[mine].len() >= KEYS_IN_A_ROW => None,
                    _ => next,
                }
            }
            // Given to the screen's own buttons by whoever holds the view.
            Pad::Back | Pad::Help => return None,
        };
        let to = match (to, key) {
            (Some(to), _) => to,
            (None, Pad::Up | Pad::Down) if ended => {
                if key == Pad::Down {
                    0
                } else {
                    last
                }
            }
            (None, _) => {
                self.ended = matches!(key, Pad::Up | Pad::Down);
                return Some(Moved::End);
            }
        };
        self.at = spot(&stops, to);
        stops.get(to).cloned().map(Moved::To)
    }
}

fn spot(stops: &[Element], place: usize) -> Option<Spot> {
    stops.get(place).map(|one| Spot {
        role: one.role,
        label: one.label.clone(),
        place,
    })
}

fn nearest(stops: &[Element], row: &[usize], here: &Element) -> Option<usize> {
    let middle = |one: &Element| one.x + one.width / 2;
    row.iter()
        .copied()
        .min_by_key(|at| (middle(&stops[*at]) - middle(here)).abs())
}

/// Everything the focus stops at, in order: the first heading, fields and controls.
fn stops(elements: &[Element], frame: Frame) -> Vec<Element> {
    let heading = elements.iter().find(|one| one.role == "heading");
    let mut found: Vec<(u8, &Element)> = elements
        .iter()
        .filter(|one| matches!(one.role, "button" | "choice" | "input"))
        .map(|one| {
            let middle = one.y as f32 + one.height as f32 / 2.0;
            let zone = if middle >= frame.foot {
                3
            } else if middle < frame.top {
                4
            } else if (one.x as f32) < frame.column {
                1
            } else {
                2
            };
            (zone, one)
        })
        .collect();
    found.sort_by_key(|(zone, one)| (*zone, one.y, one.x));
    // Neighbours of different heights stand in one row where their middles meet.
    let mut ordered: Vec<(u8, &Element)> = Vec::with_capacity(found.len());
    let mut left = found;
    while let Some((zone, first)) = left.first().copied() {
        let (mut row, rest): (Vec<_>, Vec<_>) = left
            .into_iter()
            .partition(|(other, one)| *other == zone && in_row(first, one));
        row.sort_by_key(|(_, one)| one.x);
        ordered.extend(row);
        left = rest;
    }
    heading
        .into_iter()
        .chain(ordered.into_iter().map(|(_, one)| one))
        .cloned()
        .collect()
}

fn in_row(first: &Element, one: &Element) -> bool {
    let middle = one.y + one.height / 2;
    (first.y..first.y + first.height).contains(&middle)
}

/// The stops of each row, one after the other.
fn rows(stops: &[Element]) -> Vec<Vec<usize>> {
    let mut rows: Vec<Vec<usize>> = Vec::new();
    for (at, one) in stops.iter().enumerate() {
        match rows.last_mut() {
            Some(row)
                if row
                    .first()
                    .is_some_and(|first| stops[*first].role != "heading" && in_row(&stops[*first], one))
                    && row.last().is_some_and(|last| stops[*last].x < one.x) =>
            {
                row.push(at);
            }
            _ => rows.push(vec![at]),
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(role: &'static str, label: &str, x: i32, y: i32, width: i32) -> Element {
        Element {
            role,
            label: label.into(),
            value: String::new(),
            enabled: true,
            x,
            y,
            width,
            height: 100,
        }
    }

    fn screen() -> Vec<Element> {
        let mut all = vec![
            element("button", "Tapar", 700, 0, 200),
            element("heading", "¿Qué necesita?", 60, 150, 600),
            element("text", "Ayuda", 60, 260, 600),
            element("button", "Uno", 60, 400, 400),
            element("button", "Dos", 500, 400, 400),
            element("button", "Seguir", 60, 900, 900),
            element("button", "Atrás", 0, 1760, 200),
            element("button", "Terminar", 800, 1760, 200),
        ];
        for (row, letters) in ["QWERTYUIOP", "ASDFGHJKLÑ"].iter().enumerate() {
            for (at, letter) in letters.chars().enumerate() {
                let y = 1100 + 120 * i32::try_from(row).unwrap_or(0);
                all.push(element(
                    "button",
                    &letter.to_string(),
                    100 * i32::try_from(at).unwrap_or(0),
                    y,
                    94,
                ));
            }
        }
        all
    }

    const FRAME: Frame = Frame {
        top: 120.0,
        foot: 1744.0,
        column: 0.0,
    };

    #[track_caller]
    fn goes(pad: &mut Keypad, key: Pad, to: &str) {
        match pad.press(key, &screen(), FRAME) {
            Some(Moved::To(element)) => assert_eq!(element.label, to),
            Some(Moved::End) => assert_eq!("fin", to),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn keys_go_in_reading_order_and_round_only_after_the_end_was_told() {
        let pad = &mut Keypad::default();
        goes(pad, Pad::Down, "¿Qué necesita?");
        goes(pad, Pad::Down, "Uno");
        goes(pad, Pad::Down, "Dos");
        goes(pad, Pad::Left, "Uno");
        goes(pad, Pad::Left, "fin");
        goes(pad, Pad::Right, "Dos");
        goes(pad, Pad::Down, "Seguir");
        // A keyboard is crossed row by row.
        goes(pad, Pad::Down, "Y");
        goes(pad, Pad::Right, "U");
        goes(pad, Pad::Down, "J");
        goes(pad, Pad::Down, "Atrás");
        goes(pad, Pad::Down, "Terminar");
        goes(pad, Pad::Down, "Tapar");
        goes(pad, Pad::Down, "fin");
        goes(pad, Pad::Down, "¿Qué necesita?");
        goes(pad, Pad::Up, "fin");
        goes(pad, Pad::Up, "Tapar");
    }

    #[test]
    fn ok_touches_reads_or_says_why_not() {
        let pad = &mut Keypad::default();
        pad.press(Pad::Ok, &screen(), FRAME);
        assert_eq!(pad.press(Pad::Ok, &screen(), FRAME), Some(Moved::Read));
        pad.press(Pad::Down, &screen(), FRAME);
        assert_eq!(
            pad.press(Pad::Ok, &screen(), FRAME),
            Some(Moved::Touch(260.0, 450.0))
        );
        let mut without = screen();
        without[3].enabled = false;
        assert!(matches!(
            pad.press(Pad::Ok, &without, FRAME),
            Some(Moved::Unavailable(_))
        ));
    }

    #[test]
    fn every_control_is_on_the_way_down() {
        let pad = &mut Keypad::default();
        let mut seen = std::collections::HashSet::new();
        // Down along the order, and along each row to the right.
        for _ in 0..60 {
            let Some(Moved::To(at)) = pad.press(Pad::Down, &screen(), FRAME) else {
                break;
            };
            seen.insert(at.label);
            while let Some(Moved::To(next)) = pad.clone().press(Pad::Left, &screen(), FRAME) {
                pad.press(Pad::Left, &screen(), FRAME);
                seen.insert(next.label);
            }
            while let Some(Moved::To(next)) = pad.clone().press(Pad::Right, &screen(), FRAME) {
                pad.press(Pad::Right, &screen(), FRAME);
                seen.insert(next.label);
            }
        }
        for one in screen().iter().filter(|one| one.role == "button") {
            assert!(seen.contains(&one.label), "{} is out of the way", one.label);
        }
    }

    #[test]
    fn a_new_screen_begins_on_its_heading_or_on_the_wrong_field() {
        let pad = &mut Keypad::default();
        pad.begin(&screen(), FRAME, false);
        assert!(!pad.is_on(), "the ring comes with the first key");
        goes(pad, Pad::Down, "¿Qué necesita?");
        goes(pad, Pad::Down, "Uno");
        let mut wrong = screen();
        wrong.push(element("input", "Cédula", 60, 600, 900));
        pad.begin(&wrong, FRAME, true);
        assert_eq!(
            pad.focused(&wrong, FRAME).map(|one| one.label),
            Some("Cédula".into())
        );
        pad.begin(&screen(), FRAME, false);
        assert_eq!(
            pad.focused(&screen(), FRAME).map(|one| one.label),
            Some("¿Qué necesita?".into())
        );
        pad.leave();
        assert!(!pad.is_on());
    }
}
