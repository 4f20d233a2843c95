//! The expression language of forms: XPath 1.0 as ODK narrows and extends it.
//!
//! Text → [`parser`] → [`ast`] → [`eval`]. Nothing here reads a clock or draws real randomness; both come with
//! [`crate::forms::Env`]. Where engines disagree, JavaRosa (ODK Collect) is followed. Begin with [`parse`].

pub mod ast;
pub mod calls;
mod codes;
pub mod dates;
pub mod depends;
pub mod eval;
pub mod functions;
pub mod lexer;
mod parser;
mod pattern;
mod repeats;
pub mod tree;
pub mod value;

#[cfg(test)]
mod tests;

pub use ast::Expr;
pub use parser::{parse, parse_leniently};

/// Why an expression cannot be compiled, and where in its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Byte offset in the expression.
    pub at: usize,
    pub message: String,
}

impl SyntaxError {
    fn new(at: usize, message: impl Into<String>) -> SyntaxError {
        SyntaxError {
            at,
            message: message.into(),
        }
    }

    fn unknown_function(at: usize, name: &str) -> SyntaxError {
        let names: Vec<&str> = functions::Function::ALL.iter().map(|f| f.name()).collect();
        let near = names
            .into_iter()
            .max_by(|a, b| strsim::jaro_winkler(name, a).total_cmp(&strsim::jaro_winkler(name, b)));
        let hint = near.filter(|n| strsim::jaro_winkler(name, n) > 0.85);
        let hint = hint.map(|n| format!("; perhaps {n}()")).unwrap_or_default();
        SyntaxError::new(at, format!("the function {name}() does not exist{hint}"))
    }
}

impl std::fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}
