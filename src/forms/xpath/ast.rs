//! The typed tree of an expression, and its printed form.
//!
//! `Display` writes an expression that parses back to the same tree; the property tests hold it to that.

use super::functions::Function;
use std::fmt;

#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    Number(f64),
    Literal(String),
    Negate(Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    Call(Function, Vec<Expr>),
    /// A call that can never be made: no such function, or arguments it does not take. Only lenient parsing has it.
    Unknown(String, Vec<Expr>),
    Path(Path),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

/// Where a path sets out from.
#[derive(Clone, Debug, PartialEq)]
pub enum Start {
    /// `/data/...`
    Root,
    /// `x`, `../x`, `.`
    Here,
    /// `current()`: the node that carries the expression, also inside a predicate.
    Current,
    /// `instance('id')`
    Instance(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    pub start: Start,
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub axis: Axis,
    /// `None` is `*` (or `node()` on the parent and self axes). Prefixes are dropped: a form has one vocabulary.
    pub name: Option<String>,
    pub predicates: Vec<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    Child,
    Parent,
    Itself,
}

impl Operator {
    /// Binding strength; higher binds tighter.
    pub fn strength(self) -> u8 {
        match self {
            Operator::Or => 1,
            Operator::And => 2,
            Operator::Equal | Operator::NotEqual => 3,
            Operator::Less | Operator::LessEqual | Operator::Greater | Operator::GreaterEqual => 4,
            Operator::Add | Operator::Subtract => 5,
            Operator::Multiply | Operator::Divide | Operator::Modulo => 6,
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Operator::Or => "or",
            Operator::And => "and",
            Operator::Equal => "=",
            Operator::NotEqual => "!=",
            Operator::Less => "<",
            Operator::LessEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterEqual => ">=",
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "div",
            Operator::Modulo => "mod",
        }
    }
}

impl Expr {
    /// The literal text, when the expression is nothing else.
    pub fn as_literal(&self) -> Option<&str> {
        match self {
            Expr::Literal(text) => Some(text),
            _ => None,
        }
    }

    fn strength(&self) -> u8 {
        match self {
            Expr::Binary(operator, ..) => operator.strength(),
            Expr::Negate(_) => 7,
            _ => 8,
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, least: u8) -> fmt::Result {
        if self.strength() < least {
            return write!(f, "({self})");
        }
        write!(f, "{self}")
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Number(value) => write!(f, "{value}"),
            Expr::Literal(text) if text.contains('\'') => write!(f, "\"{text}\""),
            Expr::Literal(text) => write!(f, "'{text}'"),
            Expr::Negate(inner) => {
                f.write_str("-")?;
                inner.write(f, 7)
            }
            Expr::Binary(operator, left, right) => {
                left.write(f, operator.strength())?;
                write!(f, " {} ", operator.sign())?;
                right.write(f, operator.strength() + 1)
            }
            Expr::Call(function, arguments) => write_call(f, function.name(), arguments),
            Expr::Unknown(name, arguments) => write_call(f, name, arguments),
            Expr::Path(path) => write!(f, "{path}"),
        }
    }
}

fn write_call(f: &mut fmt::Formatter<'_>, name: &str, arguments: &[Expr]) -> fmt::Result {
    write!(f, "{name}(")?;
    for (i, argument) in arguments.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{argument}")?;
    }
    f.write_str(")")
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.start {
            Start::Root => f.write_str("/")?,
            Start::Here => {}
            Start::Current => f.write_str("current()")?,
            Start::Instance(id) if id.contains('\'') => write!(f, "instance(\"{id}\")")?,
            Start::Instance(id) => write!(f, "instance('{id}')")?,
        }
        for (i, step) in self.steps.iter().enumerate() {
            if i > 0 || matches!(self.start, Start::Current | Start::Instance(_)) {
                f.write_str("/")?;
            }
            write!(f, "{step}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.axis, &self.name) {
            (Axis::Child, Some(name)) => f.write_str(name)?,
            (Axis::Child, None) => f.write_str("*")?,
            (Axis::Parent, Some(name)) => write!(f, "parent::{name}")?,
            (Axis::Parent, None) => f.write_str("..")?,
            (Axis::Itself, Some(name)) => write!(f, "self::{name}")?,
            (Axis::Itself, None) => f.write_str(".")?,
        }
        for predicate in &self.predicates {
            write!(f, "[{predicate}]")?;
        }
        Ok(())
    }
}
