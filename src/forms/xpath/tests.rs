//! Laws of the language, and answers taken from JavaRosa.

use super::ast::{Axis, Expr, Operator, Path, Start, Step};
use super::functions::Function;
use super::parse;
use crate::forms::eval;
use proptest::prelude::*;

#[track_caller]
fn check(expr: &str, expected: &str) {
    let got = eval(expr).unwrap_or_else(|finding| finding.to_string());
    assert_eq!(got, expected, "{expr}");
}

#[test]
fn answers_are_those_of_javarosa() {
    check("round(2.675, 2)", "2.68");
    check("round(1.005, 2)", "1.01");
    check("round(1234 div 2350, 4)", "0.5251");
    check("round(-2.5)", "-2");
    check("1000000 * 1000000", "1000000000000");
    check("number('1,5')", "1.5");
    check("number('1e3')", "NaN");
    check("date('2024-02-29') + 365", "20147");
    check("date(date('2024-02-29') + 365)", "2025-02-28");
    check("date('2024-01-01') - date('2023-01-01')", "365");
    check("now() > today()", "false");
    check("decimal-date-time('2024-01-01')", "19723");
    check("format-date('2024-01-02', '%d/%m/%Y')", "02/01/2024");
    check("format-date('', '%Y')", "");
    check("substr('hello', -3, -1)", "ll");
    check("substr('añb', 1, 2)", "ñ");
    check("min(3, 'a')", "3");
    check("selected-at('a b', 5)", "");
    check("regex('abc', 'b')", "false");
    check("true() = 'false'", "true");
    check("1 = '1.0'", "true");
    check("'1' = '1.0'", "false");
    check("string(0 div 0)", "NaN");
    check("coalesce('', 1 div 'x', 3)", "3");
}

#[test]
fn age_counts_birthdays() {
    check("age-years('1990-11-24')", "36");
    check("age-years('1990-11-25')", "35");
    check("age-years('2024-02-29', '2025-02-28')", "0");
    check("age-years('2030-01-01')", "");
    check("age-years('')", "");
}

#[test]
fn documents_are_functions() {
    check("cedula-valid('171430710-3')", "true");
    check("cedula-valid('1714307104')", "false");
    check("cedula-normal(' 1714307103 ')", "1714307103");
    check(
        "if(ruc-valid('1793189906001'), if(ruc-sure('1793189906001'), 'sí', 'revise'), 'no')",
        "revise",
    );
    check("phone-normal('099 123 4567')", "+593991234567");
    check("plate-month('PBA-1234')", "5");
    check("money-text(1234.5)", "USD 1.234,50");
    check("money-normal('1.234,50') * 2", "2469");
    check("predio-valid('0')", "false");
}

#[test]
fn mistakes_are_named() {
    let message = |expr: &str| parse(expr).map(|_| String::new()).unwrap_or_else(|e| e.message);
    assert_eq!(
        message("substring('a', 1)"),
        "the function substring() does not exist; perhaps substr()"
    );
    assert_eq!(message("if(1, 2)"), "if() takes 3 arguments and has 2");
    assert_eq!(
        message("sum(1)"),
        "sum() needs a field or repeat there, not a value"
    );
    assert_eq!(message("(1"), "a parenthesis is not closed");
    assert_eq!(message("1 +"), "the expression ends too early");
    assert_eq!(message("'a"), "a text opened with ' is never closed");
    assert_eq!(message("//a"), "`//` is not supported; write the whole path");
    assert!(message("regex(., '(?=a)')").contains("no look-ahead"));
    assert!(message("format-date(., '%Q')").contains("%Q"));
}

#[test]
fn hostile_nesting_is_refused_not_overflowed() {
    for (open, close) in [("(", ")"), ("-", ""), ("not(", ")"), ("a[", "]"), ("1+(", ")")] {
        let expr = format!("{}1{}", open.repeat(50_000), close.repeat(50_000));
        assert!(parse(&expr).is_err(), "{open}");
    }
    assert!(parse(&vec!["1"; 5_000].join(" or ")).is_err());
    assert!(parse(&vec!["1"; 500].join(" or ")).is_ok());
    check(&vec!["0"; 500].join(" or "), "false");
}

fn literal() -> impl Strategy<Value = String> {
    "[a-zñ0-9 .\"]{0,8}"
}

fn name() -> impl Strategy<Value = String> {
    "[a-z_][a-z0-9_-]{0,6}"
}

fn expr() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        (0.0..1e9_f64).prop_map(Expr::Number),
        literal().prop_map(Expr::Literal),
        (any::<bool>(), proptest::collection::vec(name(), 1..4)).prop_map(|(root, names)| {
            let step = |n| Step {
                axis: Axis::Child,
                name: Some(n),
                predicates: vec![],
            };
            let start = if root { Start::Root } else { Start::Here };
            Expr::Path(Path {
                start,
                steps: names.into_iter().map(step).collect(),
            })
        }),
        Just(Expr::Path(Path {
            start: Start::Current,
            steps: vec![Step {
                axis: Axis::Parent,
                name: None,
                predicates: vec![]
            }]
        })),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let operator = prop_oneof![
            Just(Operator::Or),
            Just(Operator::And),
            Just(Operator::Equal),
            Just(Operator::Less),
            Just(Operator::Add),
            Just(Operator::Subtract),
            Just(Operator::Multiply),
            Just(Operator::Divide),
            Just(Operator::Modulo),
        ];
        prop_oneof![
            inner.clone().prop_map(|e| Expr::Negate(Box::new(e))),
            (operator, inner.clone(), inner.clone()).prop_map(|(o, a, b)| Expr::Binary(
                o,
                Box::new(a),
                Box::new(b)
            )),
            proptest::collection::vec(inner.clone(), 3..4).prop_map(|a| Expr::Call(Function::If, a)),
            (name(), inner).prop_map(|(n, p)| {
                let steps = vec![Step {
                    axis: Axis::Child,
                    name: Some(n),
                    predicates: vec![p],
                }];
                Expr::Path(Path {
                    start: Start::Instance("lista".to_owned()),
                    steps,
                })
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,60}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_row_of_tokens_makes_the_parser_or_the_evaluator_panic(
        words in proptest::collection::vec(
            prop_oneof!["[a-z]{1,3}", "[0-9.]{1,3}", "[-+*/()=<>,.\\[\\]'\"|$@! ]", Just("..".to_owned()),
                Just("if(".to_owned()), Just("substr(".to_owned()), Just("round(".to_owned()), Just(" div ".to_owned())],
            0..20,
        )
    ) {
        let _ = eval(&words.concat());
    }

    #[test]
    fn what_is_printed_parses_to_the_same_tree(tree in expr()) {
        let printed = tree.to_string();
        prop_assert_eq!(parse(&printed), Ok(tree), "{}", printed);
    }
}
