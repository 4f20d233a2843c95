//! Walks a tree of an expression over the answers, with a budget of steps.

use super::ast::{Axis, Expr, Operator, Path, Start, Step};
use super::tree::{Cast, Forest, NodeRef};
use super::value::{NEAR, Value};
use super::{calls, dates};
use crate::forms::Env;
use regex::Regex;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    #[error("The form took too many steps to recalculate; simplify its lists or calculations")]
    Budget,
    #[error(
        "{0}() does not exist or does not take these arguments; correct its name or what is in its parentheses"
    )]
    UnknownFunction(String),
}

/// What an expression may ask of the form it belongs to.
pub trait Host {
    /// The text of an `itext` id in the current language.
    fn itext(&self, scope: &Scope<'_>, id: &str, at: NodeRef) -> Option<String>;
    /// The label of a choice of the question at a path.
    fn choice_label(&self, scope: &Scope<'_>, value: &str, path: &str, at: NodeRef) -> Option<String>;
}

/// Everything an evaluation reads.
pub struct Scope<'a> {
    pub forest: Forest<'a>,
    pub env: &'a Env,
    pub host: &'a dyn Host,
    pub language: &'a str,
    /// Steps left.
    pub budget: &'a Cell<u64>,
    /// How many random draws were made.
    pub draws: &'a Cell<u64>,
    pub patterns: &'a Patterns,
}

/// Compiled regular expressions by their text.
pub type Patterns = RefCell<HashMap<String, Option<Regex>>>;

/// Where an expression stands.
#[derive(Clone, Copy)]
pub struct Here {
    pub node: NodeRef,
    /// The node that carries the whole expression: `current()`.
    pub current: NodeRef,
    pub position: usize,
    pub size: usize,
}

impl Here {
    pub fn at(node: NodeRef) -> Here {
        Here {
            node,
            current: node,
            position: 1,
            size: 1,
        }
    }
}

impl<'a> Scope<'a> {
    pub fn spend(&self, steps: u64) -> Result<(), EvalError> {
        let left = self.budget.get().checked_sub(steps).ok_or(EvalError::Budget)?;
        self.budget.set(left);
        Ok(())
    }

    /// Evaluates to anything, node sets included.
    pub fn eval(&self, expr: &Expr, here: Here) -> Result<Value, EvalError> {
        self.spend(1)?;
        Ok(match expr {
            Expr::Number(value) => Value::Number(*value),
            Expr::Literal(text) => Value::Text(text.clone()),
            Expr::Negate(inner) => Value::Number(-self.number(inner, here)?),
            Expr::Binary(operator, left, right) => self.binary(*operator, left, right, here)?,
            Expr::Call(function, arguments) => calls::call(self, *function, arguments, here)?,
            Expr::Unknown(name, _) => return Err(EvalError::UnknownFunction(name.clone())),
            Expr::Path(path) => Value::Nodes(self.nodes(path, here, true)?),
        })
    }

    /// Evaluates to one value; a node set gives its first node.
    pub fn scalar(&self, expr: &Expr, here: Here) -> Result<Value, EvalError> {
        Ok(match self.eval(expr, here)? {
            Value::Nodes(nodes) => nodes.first().map_or_else(Value::empty, |n| self.read(*n)),
            other => other,
        })
    }

    pub fn number(&self, expr: &Expr, here: Here) -> Result<f64, EvalError> {
        Ok(self.scalar(expr, here)?.number())
    }

    pub fn text(&self, expr: &Expr, here: Here) -> Result<String, EvalError> {
        Ok(self.scalar(expr, here)?.text())
    }

    pub fn truth(&self, expr: &Expr, here: Here) -> Result<bool, EvalError> {
        Ok(self.scalar(expr, here)?.truth())
    }

    /// The typed value of a node.
    pub fn read(&self, at: NodeRef) -> Value {
        let node = self.forest.node(at);
        let text = node.text.as_str();
        let zone = self.env.now.time_zone();
        let typed = match node.cast {
            _ if text.is_empty() => None,
            Cast::Text => None,
            Cast::Number => {
                Some(Value::Number(super::value::parse_number(text))).filter(|v| !v.number().is_nan())
            }
            Cast::Bool => Some(Value::Bool(matches!(text, "1" | "true"))),
            Cast::Date => dates::parse_date(text, zone).map(Value::Date),
            Cast::Moment => dates::parse_moment(text, zone).map(|m| Value::Moment(Box::new(m))),
        };
        typed.unwrap_or_else(|| Value::Text(text.to_owned()))
    }

    fn binary(&self, operator: Operator, left: &Expr, right: &Expr, here: Here) -> Result<Value, EvalError> {
        Ok(match operator {
            Operator::Or => Value::Bool(self.truth(left, here)? || self.truth(right, here)?),
            Operator::And => Value::Bool(self.truth(left, here)? && self.truth(right, here)?),
            Operator::Equal => Value::Bool(equal(self.scalar(left, here)?, self.scalar(right, here)?)),
            Operator::NotEqual => Value::Bool(!equal(self.scalar(left, here)?, self.scalar(right, here)?)),
            _ => {
                let (a, b) = (self.number(left, here)?, self.number(right, here)?);
                match operator {
                    Operator::Less => Value::Bool(a < b),
                    Operator::LessEqual => Value::Bool(a <= b),
                    Operator::Greater => Value::Bool(a > b),
                    Operator::GreaterEqual => Value::Bool(a >= b),
                    Operator::Add => Value::Number(a + b),
                    Operator::Subtract => Value::Number(a - b),
                    Operator::Multiply => Value::Number(a * b),
                    Operator::Divide => Value::Number(a / b),
                    Operator::Modulo => Value::Number(a % b),
                    Operator::Or | Operator::And | Operator::Equal | Operator::NotEqual => Value::Bool(false),
                }
            }
        })
    }

    /// The nodes of a path, in document order. `guided`: an absolute path keeps to the repeat instances that the
    /// context stands in, as JavaRosa does with `/data/member/name` inside a member.
    pub fn nodes(&self, path: &Path, here: Here, guided: bool) -> Result<Vec<NodeRef>, EvalError> {
        let mut guide: Vec<NodeRef> = Vec::new();
        let start = match &path.start {
            Start::Here => Some(here.node),
            Start::Current => Some(here.current),
            Start::Instance(id) => self.forest.list(id),
            Start::Root => {
                if guided {
                    let context = if here.node.tree == 0 {
                        here.node
                    } else {
                        here.current
                    };
                    guide = self.lineage(context);
                }
                Some(NodeRef { tree: 0, node: 0 })
            }
        };
        let mut set: Vec<NodeRef> = start.into_iter().collect();
        for (depth, step) in path.steps.iter().enumerate() {
            let guided_to = guide.get(depth).copied().filter(|g| {
                step.axis == Axis::Child
                    && step.predicates.is_empty()
                    && step.name.as_deref() == Some(&*self.forest.node(*g).name)
                    && self.forest.node(*g).relevant
            });
            match guided_to {
                Some(node) => set = vec![node],
                None => {
                    guide.clear();
                    set = self.step(step, &set, here)?;
                }
            }
        }
        Ok(set)
    }

    /// The node and what is above it, from the root element down. Empty outside the primary instance.
    fn lineage(&self, at: NodeRef) -> Vec<NodeRef> {
        let mut chain = Vec::new();
        let mut next = Some(at).filter(|n| n.tree == 0);
        while let Some(node) = next {
            chain.push(node);
            next = self.forest.parent(node);
        }
        chain.pop();
        chain.reverse();
        chain
    }

    fn step(&self, step: &Step, from: &[NodeRef], here: Here) -> Result<Vec<NodeRef>, EvalError> {
        let mut out: Vec<NodeRef> = Vec::new();
        let named = |n: NodeRef| {
            step.name
                .as_deref()
                .is_none_or(|name| name == &*self.forest.node(n).name)
        };
        for &origin in from {
            let mut found: Vec<NodeRef> = match step.axis {
                Axis::Itself => Some(origin).filter(|n| named(*n)).into_iter().collect(),
                Axis::Parent => self
                    .forest
                    .parent(origin)
                    .filter(|n| named(*n))
                    .into_iter()
                    .collect(),
                Axis::Child => {
                    let children = &self.forest.node(origin).children;
                    self.spend(children.len() as u64)?;
                    let child = |c: &u32| NodeRef {
                        tree: origin.tree,
                        node: *c,
                    };
                    children
                        .iter()
                        .map(child)
                        .filter(|n| self.forest.node(*n).relevant && named(*n))
                        .collect()
                }
            };
            for predicate in &step.predicates {
                found = self.filter(predicate, &found, here)?;
            }
            // Two nodes can share a parent.
            if step.axis == Axis::Parent {
                found.retain(|n| !out.contains(n));
            }
            out.extend(found);
        }
        Ok(out)
    }

    fn filter(&self, predicate: &Expr, from: &[NodeRef], here: Here) -> Result<Vec<NodeRef>, EvalError> {
        let mut out = Vec::new();
        for (i, &node) in from.iter().enumerate() {
            let inner = Here {
                node,
                current: here.current,
                position: i + 1,
                size: from.len(),
            };
            let keep = match self.scalar(predicate, inner)? {
                Value::Number(wanted) if !matches!(predicate, Expr::Path(_)) => wanted == (i + 1) as f64,
                other => other.truth(),
            };
            if keep {
                out.push(node);
            }
        }
        Ok(out)
    }
}

/// Equality in XPath's order: truths, then numbers, then texts.
fn equal(a: Value, b: Value) -> bool {
    if matches!(a, Value::Bool(_)) || matches!(b, Value::Bool(_)) {
        return a.truth() == b.truth();
    }
    if matches!(a, Value::Number(_)) || matches!(b, Value::Number(_)) {
        let (a, b) = (a.number(), b.number());
        // The first comparison is for the infinities.
        return a == b || (a - b).abs() < NEAR;
    }
    a.text() == b.text()
}
