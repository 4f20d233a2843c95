//! What an expression reads, as paths of names from the root of the form.

use super::ast::{Axis, Expr, Path, Start};
use super::functions::Function;

/// One path an expression reads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Read {
    /// Names from the root element down; `None` is `*`.
    pub steps: Vec<Option<String>>,
    /// Whether only the place of the node matters (`position(..)`), not its value.
    pub place_only: bool,
    /// Whether it was written as a path that leaves the form (`../../../..`).
    pub escapes: bool,
}

/// Everything read from the primary instance, and the names of the lists used.
#[derive(Default)]
pub struct Reads {
    pub paths: Vec<Read>,
    pub lists: Vec<String>,
}

/// Collects what an expression reads when it stands at `here` (names from the root element down).
pub fn reads(expr: &Expr, here: &[String]) -> Reads {
    let mut out = Reads::default();
    let here = Some(here.iter().cloned().map(Some).collect::<Vec<_>>());
    walk(expr, here.as_deref(), here.as_deref(), false, &mut out);
    out
}

type Place<'a> = Option<&'a [Option<String>]>;

/// `here` is `None` inside a predicate on a choice list.
fn walk(expr: &Expr, here: Place<'_>, current: Place<'_>, place_only: bool, out: &mut Reads) {
    match expr {
        Expr::Number(_) | Expr::Literal(_) => {}
        Expr::Negate(inner) => walk(inner, here, current, false, out),
        Expr::Binary(_, left, right) => {
            walk(left, here, current, false, out);
            walk(right, here, current, false, out);
        }
        Expr::Call(function, arguments) => {
            if let (Function::ChoiceName, Some(Expr::Literal(path))) = (function, arguments.get(1)) {
                // pyxform writes the whole path; a relative one is left to the evaluation.
                if path.trim().starts_with('/') {
                    let steps = path
                        .trim()
                        .trim_start_matches('/')
                        .split('/')
                        .map(|s| Some(s.to_owned()))
                        .collect();
                    out.paths.push(Read {
                        steps,
                        place_only: true,
                        escapes: false,
                    });
                }
            }
            if let (Function::PullData, Some(Expr::Literal(list))) = (function, arguments.first()) {
                out.lists.push(list.clone());
            }
            for (i, argument) in arguments.iter().enumerate() {
                let repeat = *function == Function::IndexedRepeat && i % 2 == 1;
                walk(
                    argument,
                    here,
                    current,
                    *function == Function::Position || repeat,
                    out,
                );
            }
        }
        Expr::Unknown(_, arguments) => {
            for argument in arguments {
                walk(argument, here, current, false, out);
            }
        }
        Expr::Path(path) => walk_path(path, here, current, place_only, out),
    }
}

fn walk_path(path: &Path, here: Place<'_>, current: Place<'_>, place_only: bool, out: &mut Reads) {
    let mut at: Option<Vec<Option<String>>> = match &path.start {
        Start::Root => Some(vec![]),
        Start::Here => here.map(<[_]>::to_vec),
        Start::Current => current.map(<[_]>::to_vec),
        Start::Instance(id) => {
            out.lists.push(id.clone());
            None
        }
    };
    let mut escapes = false;
    for step in &path.steps {
        if let Some(place) = &mut at {
            match step.axis {
                Axis::Itself => {}
                Axis::Child => place.push(step.name.clone()),
                Axis::Parent => escapes |= place.pop().is_none(),
            }
        }
        for predicate in &step.predicates {
            walk(predicate, at.as_deref(), current, false, out);
        }
    }
    if let Some(steps) = at {
        out.paths.push(Read {
            steps,
            place_only,
            escapes,
        });
    }
}
