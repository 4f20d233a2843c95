//! Cuts an expression into tokens, following the disambiguation rule of XPath 1.0 §3.7: after an operand, `*` multiplies
//! and the names `and`, `or`, `div`, `mod` are operators, even when glued to what follows (`1mod1`).

use super::SyntaxError;

/// An expression longer than this is not something a person wrote in a cell.
pub(super) const MAX_TOKENS: usize = 8_192;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Literal(String),
    /// A name with its prefix, as written.
    Name(String),
    And,
    Or,
    Div,
    Mod,
    Multiply,
    /// The `*` of a name test.
    Star,
    Plus,
    Minus,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Slash,
    Dot,
    DotDot,
    Axis,
    Comma,
    Open,
    Close,
    OpenBracket,
    CloseBracket,
}

/// A token and the byte where it begins.
pub(super) struct Lexeme {
    pub token: Token,
    pub at: usize,
}

pub(super) fn lex(source: &str) -> Result<Vec<Lexeme>, SyntaxError> {
    let mut out: Vec<Lexeme> = Vec::new();
    let mut at = 0;
    while let Some(c) = source[at..].chars().next() {
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        if out.len() >= MAX_TOKENS {
            return Err(SyntaxError::new(
                at,
                "the expression is too long; split it over several calculations",
            ));
        }
        let (token, len) = next_token(&source[at..], c, ends_operand(out.last()), at)?;
        out.push(Lexeme { token, at });
        at += len;
    }
    Ok(out)
}

/// Whether the token before can end an operand, so that what follows must be an operator.
fn ends_operand(last: Option<&Lexeme>) -> bool {
    matches!(
        last.map(|l| &l.token),
        Some(
            Token::Number(_)
                | Token::Literal(_)
                | Token::Name(_)
                | Token::Star
                | Token::Dot
                | Token::DotDot
                | Token::Close
                | Token::CloseBracket
        )
    )
}

fn next_token(rest: &str, c: char, after_operand: bool, at: usize) -> Result<(Token, usize), SyntaxError> {
    let two = |second: char| rest[c.len_utf8()..].starts_with(second);
    Ok(match c {
        '+' => (Token::Plus, 1),
        '-' => (Token::Minus, 1),
        '*' if after_operand => (Token::Multiply, 1),
        '*' => (Token::Star, 1),
        '=' => (Token::Equal, 1),
        '!' if two('=') => (Token::NotEqual, 2),
        '<' if two('=') => (Token::LessEqual, 2),
        '<' => (Token::Less, 1),
        '>' if two('=') => (Token::GreaterEqual, 2),
        '>' => (Token::Greater, 1),
        '(' => (Token::Open, 1),
        ')' => (Token::Close, 1),
        '[' => (Token::OpenBracket, 1),
        ']' => (Token::CloseBracket, 1),
        ',' => (Token::Comma, 1),
        '/' if two('/') => {
            return Err(SyntaxError::new(
                at,
                "`//` is not supported; write the whole path",
            ));
        }
        '/' => (Token::Slash, 1),
        ':' if two(':') => (Token::Axis, 2),
        '|' => {
            return Err(SyntaxError::new(
                at,
                "`|` is not supported; name one field at a time",
            ));
        }
        '$' => {
            return Err(SyntaxError::new(
                at,
                "`$` is not supported; write `${field}` in a sheet, a path in XML",
            ));
        }
        '@' => return Err(SyntaxError::new(at, "attributes (`@`) are not supported")),
        '"' | '\'' => literal(rest, c, at)?,
        '.' if two('.') => (Token::DotDot, 2),
        '.' if rest[1..].starts_with(|d: char| d.is_ascii_digit()) => number(rest, at)?,
        '.' => (Token::Dot, 1),
        '0'..='9' => number(rest, at)?,
        _ if is_name_start(c) => name(rest, after_operand),
        _ => return Err(SyntaxError::new(at, format!("`{c}` is not understood here"))),
    })
}

fn literal(rest: &str, quote: char, at: usize) -> Result<(Token, usize), SyntaxError> {
    match rest[1..].find(quote) {
        Some(end) => Ok((Token::Literal(rest[1..=end].to_owned()), end + 2)),
        None => Err(SyntaxError::new(
            at,
            format!("a text opened with {quote} is never closed"),
        )),
    }
}

fn number(rest: &str, at: usize) -> Result<(Token, usize), SyntaxError> {
    let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
    let mut len = digits(rest);
    if rest[len..].starts_with('.') {
        len += 1 + digits(&rest[len + 1..]);
    }
    match rest[..len].parse() {
        Ok(value) => Ok((Token::Number(value), len)),
        Err(_) => Err(SyntaxError::new(
            at,
            format!("`{}` is not a number", &rest[..len]),
        )),
    }
}

fn name(rest: &str, after_operand: bool) -> (Token, usize) {
    if after_operand {
        let operators = [
            ("and", Token::And),
            ("or", Token::Or),
            ("div", Token::Div),
            ("mod", Token::Mod),
        ];
        for (word, token) in operators {
            if rest.starts_with(word) {
                return (token, word.len());
            }
        }
    }
    let mut len = name_len(rest);
    // A prefix: one colon with a name on both sides. `a::b` is an axis.
    if rest[len..].starts_with(':') && rest[len + 1..].starts_with(is_name_start) {
        len += 1 + name_len(&rest[len + 1..]);
    }
    (Token::Name(rest[..len].to_owned()), len)
}

fn name_len(rest: &str) -> usize {
    rest.find(|c| !is_name_char(c)).unwrap_or(rest.len())
}

pub(in crate::forms) fn is_name_start(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

pub(in crate::forms) fn is_name_char(c: char) -> bool {
    c == '_' || c == '-' || c == '.' || c == '\u{b7}' || c.is_alphanumeric()
}
