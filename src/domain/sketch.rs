//! What was drawn with a finger: strokes as data, and the picture made of them.
//!
//! A signature identifies a person: it is wiped when it is dropped, appears in no `Debug` output and is only ever
//! kept inside a sealed submission. Begin at [`Sketch::add`].

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// A point of a stroke; the pad is [`WIDE`] units wide and [`HIGH`] high.
pub type Point = (u16, u16);

/// Width of the pad in units.
pub const WIDE: u16 = 1000;
/// Height of the pad in units.
pub const HIGH: u16 = 420;
/// A finger cannot draw more; what goes on after it is left out.
const POINTS_MOST: usize = 8_000;
/// Points nearer than this say nothing new.
const NEAR: i32 = 3;

/// Strokes in the order in which they were drawn.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sketch {
    strokes: Vec<Vec<Point>>,
}

impl std::fmt::Debug for Sketch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sketch({} strokes)", self.strokes.len())
    }
}

impl Drop for Sketch {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Sketch {
    /// Adds a stroke; points outside the pad are brought to its edge, and those that say nothing new are left out.
    pub fn add(&mut self, points: &[Point]) {
        let room = POINTS_MOST.saturating_sub(self.strokes.iter().map(Vec::len).sum());
        let mut stroke: Vec<Point> = Vec::new();
        for &(x, y) in points {
            let point = (x.min(WIDE), y.min(HIGH));
            let far = stroke.last().is_none_or(|last: &Point| {
                (i32::from(last.0) - i32::from(point.0)).abs() >= NEAR
                    || (i32::from(last.1) - i32::from(point.1)).abs() >= NEAR
            });
            if far && stroke.len() < room {
                stroke.push(point);
            }
        }
        if !stroke.is_empty() {
            self.strokes.push(stroke);
        }
    }

    /// Whether nothing was drawn.
    pub fn is_empty(&self) -> bool {
        self.strokes.is_empty()
    }

    /// Overwrites what was drawn.
    pub fn clear(&mut self) {
        for stroke in &mut self.strokes {
            for point in stroke.iter_mut() {
                point.0.zeroize();
                point.1.zeroize();
            }
        }
        self.strokes.clear();
    }

    /// The strokes as commands of a path: `M10 20L15 22`; a dot is a stroke of one unit.
    pub fn path(&self) -> String {
        let mut path = String::new();
        for stroke in &self.strokes {
            let mut points = stroke.iter();
            if let Some((x, y)) = points.next() {
                let _ = write!(path, "M{x} {y}");
                if stroke.len() == 1 {
                    let _ = write!(path, "L{} {y}", x + 1);
                }
            }
            for (x, y) in points {
                let _ = write!(path, "L{x} {y}");
            }
        }
        path
    }

    /// The picture that is sealed with the submission.
    pub fn svg(&self) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDE} {HIGH}\" width=\"{WIDE}\" \
             height=\"{HIGH}\"><path d=\"{}\" fill=\"none\" stroke=\"#000\" stroke-width=\"5\" \
             stroke-linecap=\"round\" stroke-linejoin=\"round\"/></svg>",
            self.path()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strokes_become_a_path_and_a_picture() {
        let mut sketch = Sketch::default();
        assert!(sketch.is_empty());
        sketch.add(&[(10, 20), (11, 21), (30, 40), (2_000, 9_000)]);
        sketch.add(&[(500, 200)]);
        sketch.add(&[]);
        assert_eq!(sketch.path(), "M10 20L30 40L1000 420M500 200L501 200");
        assert!(
            sketch
                .svg()
                .contains("d=\"M10 20L30 40L1000 420M500 200L501 200\"")
        );
        assert_eq!(format!("{sketch:?}"), "Sketch(2 strokes)");
        sketch.clear();
        assert!(sketch.is_empty() && sketch.path().is_empty());
    }

    #[test]
    fn nobody_draws_without_end() {
        let mut sketch = Sketch::default();
        for _ in 0..40 {
            let zigzag: Vec<Point> = (0..1_000)
                .map(|at| (at, if at % 2 == 0 { 0 } else { 100 }))
                .collect();
            sketch.add(&zigzag);
        }
        assert!(sketch.path().len() < POINTS_MOST * 9);
    }
}
