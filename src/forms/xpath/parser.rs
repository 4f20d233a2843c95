//! Tokens to tree: precedence climbing, with a budget for nesting so that a hostile cell cannot exhaust the stack.

use super::SyntaxError;
use super::ast::{Axis, Expr, Operator, Path, Start, Step};
use super::functions::Function;
use super::lexer::{Lexeme, Token, lex};

/// Parentheses, brackets, calls and signs inside one another.
const MAX_NESTING: usize = 64;
/// Height of the tree; a chain of `or` is as high as it is long.
const MAX_HEIGHT: usize = 600;

/// Parses one whole expression. A function that does not exist is an error, also where it would never be called.
pub fn parse(source: &str) -> Result<Expr, SyntaxError> {
    whole(source, false)
}

/// Parses like JavaRosa, which misses a function only when it is called: for trying out expressions, not for forms.
pub fn parse_leniently(source: &str) -> Result<Expr, SyntaxError> {
    whole(source, true)
}

fn whole(source: &str, lenient: bool) -> Result<Expr, SyntaxError> {
    let tokens = lex(source)?;
    let mut parser = Parser {
        tokens,
        next: 0,
        lenient,
        nesting: 0,
        end: source.len(),
    };
    let expr = parser.expression(1)?;
    match parser.tokens.get(parser.next) {
        None => Ok(expr),
        Some(extra) => Err(SyntaxError::new(
            extra.at,
            "this part does not continue the expression; an operator is missing",
        )),
    }
}

struct Parser {
    tokens: Vec<Lexeme>,
    next: usize,
    lenient: bool,
    nesting: usize,
    end: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|l| &l.token)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |l| l.at)
    }

    fn eat(&mut self, token: &Token) -> bool {
        let found = self.peek() == Some(token);
        if found {
            self.next += 1;
        }
        found
    }

    fn expect(&mut self, token: &Token, message: &str) -> Result<(), SyntaxError> {
        if self.eat(token) {
            Ok(())
        } else {
            Err(SyntaxError::new(self.at(), message))
        }
    }

    fn nested<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<T, SyntaxError> {
        if self.nesting >= MAX_NESTING {
            return Err(SyntaxError::new(
                self.at(),
                "nested too deeply; split it over several calculations",
            ));
        }
        self.nesting += 1;
        let out = inner(self);
        self.nesting -= 1;
        out
    }

    fn expression(&mut self, least: u8) -> Result<Expr, SyntaxError> {
        let mut left = self.unary()?;
        let mut height = 0;
        while let Some(operator) = self.operator().filter(|o| o.strength() >= least) {
            height += 1;
            if height > MAX_HEIGHT {
                return Err(SyntaxError::new(
                    self.at(),
                    "too many operators in one row; split the expression",
                ));
            }
            self.next += 1;
            let right = self.nested(|p| p.expression(operator.strength() + 1))?;
            left = Expr::Binary(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn operator(&self) -> Option<Operator> {
        Some(match self.peek()? {
            Token::Or => Operator::Or,
            Token::And => Operator::And,
            Token::Equal => Operator::Equal,
            Token::NotEqual => Operator::NotEqual,
            Token::Less => Operator::Less,
            Token::LessEqual => Operator::LessEqual,
            Token::Greater => Operator::Greater,
            Token::GreaterEqual => Operator::GreaterEqual,
            Token::Plus => Operator::Add,
            Token::Minus => Operator::Subtract,
            Token::Multiply => Operator::Multiply,
            Token::Div => Operator::Divide,
            Token::Mod => Operator::Modulo,
            _ => return None,
        })
    }

    fn unary(&mut self) -> Result<Expr, SyntaxError> {
        if self.eat(&Token::Minus) {
            return Ok(Expr::Negate(Box::new(self.nested(Self::unary)?)));
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<Expr, SyntaxError> {
        let at = self.at();
        match self.peek() {
            None => Err(SyntaxError::new(at, "the expression ends too early")),
            Some(Token::Number(value)) => {
                let value = *value;
                self.next += 1;
                Ok(Expr::Number(value))
            }
            Some(Token::Literal(text)) => {
                let text = text.clone();
                self.next += 1;
                Ok(Expr::Literal(text))
            }
            Some(Token::Open) => {
                self.next += 1;
                let inner = self.nested(|p| p.expression(1))?;
                self.expect(&Token::Close, "a parenthesis is not closed")?;
                Ok(inner)
            }
            Some(Token::Name(name)) if self.is_call() => {
                let name = name.clone();
                self.next += 2;
                let arguments = self.arguments()?;
                self.call(&name, arguments, at)
            }
            Some(Token::Slash) => {
                self.next += 1;
                self.path(Start::Root)
            }
            Some(Token::Name(_) | Token::Star | Token::Dot | Token::DotDot) => self.path(Start::Here),
            Some(_) => Err(SyntaxError::new(at, "a value is missing here")),
        }
    }

    fn is_call(&self) -> bool {
        self.tokens
            .get(self.next + 1)
            .is_some_and(|l| l.token == Token::Open)
    }

    fn arguments(&mut self) -> Result<Vec<Expr>, SyntaxError> {
        let mut arguments = Vec::new();
        if self.eat(&Token::Close) {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.nested(|p| p.expression(1))?);
            if self.eat(&Token::Close) {
                return Ok(arguments);
            }
            self.expect(&Token::Comma, "a comma or a closing parenthesis is missing")?;
        }
    }

    fn call(&mut self, name: &str, arguments: Vec<Expr>, at: usize) -> Result<Expr, SyntaxError> {
        let start = match (name, arguments.as_slice()) {
            ("current", []) => Some(Start::Current),
            ("instance", [Expr::Literal(id)]) => Some(Start::Instance(id.clone())),
            ("instance", _) => {
                return Err(SyntaxError::new(
                    at,
                    "instance() takes the name of one list in quotes",
                ));
            }
            _ => None,
        };
        if let Some(start) = start {
            return if self.eat(&Token::Slash) {
                self.path(start)
            } else {
                Ok(Expr::Path(Path { start, steps: vec![] }))
            };
        }
        let known = Function::named(name).ok_or_else(|| SyntaxError::unknown_function(at, name));
        let checked = known.and_then(|function| {
            let right = function.check_arguments(&arguments);
            right
                .map_err(|message| SyntaxError::new(at, message))
                .map(|()| function)
        });
        let function = match checked {
            Ok(function) => function,
            Err(_) if self.lenient => return Ok(Expr::Unknown(name.to_owned(), arguments)),
            Err(error) => return Err(error),
        };
        if self.peek() == Some(&Token::Slash) || self.peek() == Some(&Token::OpenBracket) {
            return Err(SyntaxError::new(
                self.at(),
                "a path cannot continue after this function",
            ));
        }
        Ok(Expr::Call(function, arguments))
    }

    fn path(&mut self, start: Start) -> Result<Expr, SyntaxError> {
        let mut steps = vec![self.step()?];
        while self.eat(&Token::Slash) {
            steps.push(self.step()?);
        }
        Ok(Expr::Path(Path { start, steps }))
    }

    fn step(&mut self) -> Result<Step, SyntaxError> {
        let at = self.at();
        let mut step = match self.peek().cloned() {
            Some(Token::Dot) => self.plain(Axis::Itself, None),
            Some(Token::DotDot) => self.plain(Axis::Parent, None),
            Some(Token::Star) => self.plain(Axis::Child, None),
            Some(Token::Name(name)) => {
                self.next += 1;
                if self.eat(&Token::Axis) {
                    self.explicit_axis(&name, at)?
                } else {
                    self.name_test(Axis::Child, &name, at)?
                }
            }
            _ => {
                return Err(SyntaxError::new(
                    at,
                    "the path stops at a `/`; a field name is missing",
                ));
            }
        };
        while self.eat(&Token::OpenBracket) {
            step.predicates.push(self.nested(|p| p.expression(1))?);
            self.expect(&Token::CloseBracket, "a `[` is not closed")?;
        }
        Ok(step)
    }

    fn plain(&mut self, axis: Axis, name: Option<String>) -> Step {
        self.next += 1;
        Step {
            axis,
            name,
            predicates: vec![],
        }
    }

    fn explicit_axis(&mut self, axis: &str, at: usize) -> Result<Step, SyntaxError> {
        let axis = match axis {
            "child" => Axis::Child,
            "parent" => Axis::Parent,
            "self" => Axis::Itself,
            other => {
                return Err(SyntaxError::new(
                    at,
                    format!("the axis `{other}::` is not supported"),
                ));
            }
        };
        match self.peek().cloned() {
            Some(Token::Star) => Ok(self.plain(axis, None)),
            Some(Token::Name(name)) => {
                let at = self.at();
                self.next += 1;
                self.name_test(axis, &name, at)
            }
            _ => Err(SyntaxError::new(self.at(), "a field name is missing after `::`")),
        }
    }

    fn name_test(&mut self, axis: Axis, name: &str, at: usize) -> Result<Step, SyntaxError> {
        if self.eat(&Token::Open) {
            if name == "node" && self.eat(&Token::Close) {
                return Ok(Step {
                    axis,
                    name: None,
                    predicates: vec![],
                });
            }
            return Err(SyntaxError::new(
                at,
                format!("`{name}(` cannot stand inside a path"),
            ));
        }
        let local = name.rsplit(':').next().unwrap_or(name);
        Ok(Step {
            axis,
            name: Some(local.to_owned()),
            predicates: vec![],
        })
    }
}
